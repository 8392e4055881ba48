/** What a fact says in a line, and what it shows when opened. Pure. */
import type { Fact } from "./queries";

/** The days of facts that come newest first, each with its facts in that order. */
export function byDay(facts: readonly Fact[], dayOf: (moment: string) => string): [string, Fact[]][] {
  const days: [string, Fact[]][] = [];
  for (const fact of facts) {
    const day = dayOf(fact.occurred_at);
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(fact);
    else days.push([day, [fact]]);
  }
  return days;
}

const TELLING = ["name", "title", "subject", "topic", "campaign", "category", "path", "product_id", "list_id"];

/** The property that says best what it was about. */
export function subject(properties: Fact["properties"]): string | null {
  for (const name of TELLING) {
    const value = properties[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

export interface Detail {
  name: string;
  text: string;
}

/** The properties as pairs, one level deep; what lies deeper stays as it was written. */
export function details(properties: Fact["properties"]): Detail[] {
  return Object.entries(properties)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => ({ name, text: written(value) }));
}

function written(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}
