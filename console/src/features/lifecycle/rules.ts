/** Decisions about what to show. Pure. */
import type { Row, StageTotal, Whole } from "./queries";

const NAMING = ["member_number", "phone", "email", "user_id"];

/** A value of which the reader sees nothing but that there is one. */
function isBlank(value: string | null): boolean {
  return value === null || /^[*•\s]*$/.test(value);
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

/** What to call a customer of a list. */
export function rowName(row: Pick<Row, "name" | "member_number" | "phone" | "email">): string | null {
  return [row.name, row.member_number, row.phone, row.email].find((one) => !isBlank(one)) ?? null;
}

type Named = Pick<Whole, "attributes" | "identities">;

/** The same customer with the values that were revealed. */
export function inClear(whole: Named, revealed: Named): Named {
  const clear = new Map(revealed.identities.map((one) => [one.identity_id, one]));
  return {
    attributes: { ...whole.attributes, ...revealed.attributes },
    identities: whole.identities.map((one) => clear.get(one.identity_id) ?? one),
  };
}

export interface Worth {
  customers: number;
  historic: number;
  /** Null where of some nothing is predicted. */
  predicted: number | null;
}

/** What the customers of some stages are worth together. */
export function worthOf(stages: readonly StageTotal[]): Worth {
  const sum = (of: (one: StageTotal) => number) => stages.reduce((total, one) => total + of(one), 0);
  return {
    customers: sum((one) => one.customers),
    historic: sum((one) => one.historic_minor),
    predicted: stages.some((one) => one.predicted_minor === null) ? null : sum((one) => one.predicted_minor ?? 0),
  };
}

/** By which share something has changed; null from nothing. */
export function change(now: number, then: number): number | null {
  return then === 0 ? null : (now - then) / Math.abs(then);
}
