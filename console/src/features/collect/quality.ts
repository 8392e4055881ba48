/** Counts of what came in. Pure. */
import type { Quality } from "./queries";

export interface Outcomes {
  facts: number;
  duplicates: number;
  rejected: number;
}

type Hour = Quality["hours"][number];

const NOTHING: Outcomes = { facts: 0, duplicates: 0, rejected: 0 };

/** What became of an event, whatever the reason for which it could not be used. */
function kindOf(hour: Hour): keyof Outcomes {
  if (hour.outcome === "fact") return "facts";
  return hour.outcome === "duplicate" ? "duplicates" : "rejected";
}

/** How many became what. */
export function outcomes(quality: Pick<Quality, "hours">): Outcomes {
  const counts = { ...NOTHING };
  for (const hour of quality.hours) counts[kindOf(hour)] += hour.events;
  return counts;
}

/** The same by hour, of all sources together, the first hour first. */
export function byHour(quality: Pick<Quality, "hours">): (Outcomes & { hour: string })[] {
  const hours = new Map<string, Outcomes & { hour: string }>();
  for (const one of quality.hours) {
    const known = hours.get(one.hour) ?? { ...NOTHING, hour: one.hour };
    known[kindOf(one)] += one.events;
    hours.set(one.hour, known);
  }
  return [...hours.values()].sort((a, b) => a.hour.localeCompare(b.hour));
}

/** The sources that something came from. */
export function sourcesOf(quality: Pick<Quality, "hours"> | undefined): string[] {
  return [...new Set(quality?.hours.map((hour) => hour.source))].sort();
}
