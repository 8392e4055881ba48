/** How great a difference is, in words and as a bar. Pure. */
import type { Trait } from "./queries";

/** Of fewer customers on a side the server tells nothing of them in shares or means. */
export const LEAST = 30;

/** From which effect on a difference is called so (Cohen 1988, sections 2.2.3 and 6.2.3). */
const SIZES = [
  ["large", 0.8],
  ["medium", 0.5],
  ["small", 0.2],
] as const;
export type Size = (typeof SIZES)[number][0] | "slight";

export function sizeOf(effect: number): Size {
  return SIZES.find(([, least]) => Math.abs(effect) >= least)?.[0] ?? "slight";
}

/** What fills the bar: as much as shares can differ. Means can differ by more, which the number says. */
const WHOLE = Math.PI;

/** The part of the bar that an effect fills, 0 to 1. */
export function fillOf(effect: number): number {
  return Math.min(Math.abs(effect) / WHOLE, 1);
}

/** Why there is nothing to tell, or nothing worth telling; null where there is. */
export function silence(one: number, other: number, traits: readonly Trait[]): "few" | "alike" | "hardly" | null {
  if (traits.length === 0 && Math.min(one, other) < LEAST) return "few";
  if (traits.every(({ effect }) => effect === 0)) return "alike";
  return traits.every(({ effect }) => sizeOf(effect) === "slight") ? "hardly" : null;
}
