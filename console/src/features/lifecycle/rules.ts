/** Decisions about what to show. Pure. */
import type { Whole } from "./queries";

const NAMING = ["member_number", "phone", "email", "user_id"];

/** A value of which the reader sees nothing but that there is one. */
function isBlank(value: string): boolean {
  return /^[*•\s]*$/.test(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

/** What to call a customer: their name, written as the reader's language does, else what best identifies them. */
export function nameOf(whole: Pick<Whole, "attributes" | "identities">, language: string): string | null {
  const { name, first_name: first, last_name: last, nickname } = whole.attributes;
  const parts = language === "zh-CN" ? text(last) + text(first) : `${text(first)} ${text(last)}`.trim();
  const said = text(name) || parts || text(nickname);
  if (said) return said;
  for (const kind of NAMING) {
    const found = whole.identities.find((one) => one.kind === kind);
    if (found && !isBlank(found.value)) return found.value;
  }
  const seen = whole.identities.find((one) => !isBlank(one.value));
  return seen?.value ?? null;
}
