/** The shipped stages in the order of a life, and a colour for each that differs in both appearances. */

export const STAGES = ["prospect", "first_purchase", "repeat", "loyal", "at_risk", "lost"] as const;

const COLOURS: Record<string, string> = {
  prospect: "#8c9aa5",
  first_purchase: "#877cc0",
  repeat: "#12a08a",
  loyal: "#2f7fb5",
  at_risk: "#d9730d",
  lost: "#a3523a",
};

/** A stage of the brand's own is grey. */
export function stageColour(stage: string | null): string {
  return COLOURS[stage ?? ""] ?? "#8c9aa5";
}
