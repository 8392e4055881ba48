/** Who stands behind a mark of a chart, as the address of their list. Pure. */
import type {
  AsKnown,
  Calibration,
  Cell,
  ChannelEconomics,
  Cohort,
  Flow,
  ModelTest,
  Pair,
  ProductContribution,
  RfmCell,
  ValueBand,
} from "./analysis";
import type { Narrowed } from "./views";
import { customersAt, type Stood, type Wanted } from "./wanted";

/** As the address names who had no order yet, or none any more. */
export const OUTSIDE = "outside";

/** Where customers began, as the list asks for it. */
export function beganBy({ channel, store }: Pick<Narrowed, "channel" | "store">): Partial<Wanted> {
  return { channels: channel === null ? [] : [channel], stores: store === null ? [] : [store] };
}

/** Whose first order is within a view. */
export function acquiredIn(narrowed: Narrowed): Partial<Wanted> {
  return { ...beganBy(narrowed), first_order_from: narrowed.since, first_order_to: narrowed.until };
}

/** Who went from one stage to another between two moments. */
export function behindFlow(flow: Flow, moments: { since: string; until: string }, narrowed: Narrowed): string {
  return customersAt({
    ...beganBy(narrowed),
    stood: [
      { stages: [flow.before ?? OUTSIDE], at: moments.since },
      { stages: [flow.after ?? OUTSIDE], at: moments.until },
    ],
  });
}

export function behindStage(stage: string, known: AsKnown, narrowed: Narrowed): string {
  return behindKnown({ stages: [stage] }, known, narrowed);
}

export function behindScores(cell: RfmCell, known: AsKnown, narrowed: Narrowed): string {
  return behindKnown({ r_scores: [cell.r_score], f_scores: [cell.f_score] }, known, narrowed);
}

/** Values of a band are below its end. */
export function behindBand(band: ValueBand, known: AsKnown, narrowed: Narrowed): string {
  return behindKnown({ value_min_minor: band.from_minor, value_max_minor: band.to_minor - 1 }, known, narrowed);
}

/** Of whom something is known: as of the last refresh, or of a past one. */
function behindKnown(what: Partial<Omit<Stood, "at">>, known: AsKnown, narrowed: Narrowed): string {
  const past = known.past && known.as_of ? new Date(known.as_of).toISOString() : null;
  return customersAt({
    ...beganBy(narrowed),
    ...(past ? { stood: [{ stages: [], ...what, at: past }] } : what),
  });
}

/** Who of a cohort ordered in a period of its life; in the first, all did. */
export function behindCohort(cohort: Cohort, cell: Cell, period: "month" | "quarter", narrowed: Narrowed): string {
  const months = period === "quarter" ? 3 : 1;
  const from = monthsLater(cohort.begins, cell.period * months);
  return customersAt({
    ...beganBy(narrowed),
    first_order_from: later(cohort.begins, narrowed.since),
    first_order_to: earlier(cohort.ends, narrowed.until),
    ...(cell.period === 0
      ? {}
      : { ordered_from: from, ordered_to: dayBefore(monthsLater(cohort.begins, (cell.period + 1) * months)) }),
  });
}

/** Who came back within so many days of the first order. */
export function behindReturn(days: number, narrowed: Narrowed): string {
  return customersAt({ ...acquiredIn(narrowed), came_back_within_days: days });
}

/** Who ordered on so many days. */
export function behindStep(step: number, narrowed: Narrowed): string {
  return customersAt({ ...acquiredIn(narrowed), order_days_min: step });
}

/** Whom a channel acquired, or none that is named. */
export function behindChannel(row: ChannelEconomics, narrowed: Narrowed): string {
  return customersAt({
    ...acquiredIn(narrowed),
    ...(row.channel === null ? { no_channel: true } : { channels: [row.channel] }),
  });
}

/** Who has an order within a view of a product, or of a category, or of none. */
export function behindProduct(row: ProductContribution, by: "product" | "category", narrowed: Narrowed): string | null {
  if (row.key === null && by === "product") return null;
  return customersAt({
    ...orderedIn(narrowed),
    ...(row.key === null
      ? { no_category: true }
      : by === "product"
        ? { bought: [row.key] }
        : { bought_categories: [row.key] }),
  });
}

/** Who has an order that holds both. */
export function behindPair(pair: Pair, narrowed: Narrowed): string {
  return customersAt({ ...orderedIn(narrowed), bought: [pair.first, pair.second], together: true });
}

/** Who began with a product early enough. */
export function behindFirst(product: string, until: string | null, narrowed: Narrowed): string {
  return customersAt({
    ...acquiredIn(narrowed),
    first_order_to: until === null ? narrowed.until : earlier(until, narrowed.until),
    first_products: [product],
  });
}

/** Who had ordered again so often before the model's test; the first day is not one of these. */
export function behindFrequency(row: Calibration, test: Pick<ModelTest, "calibration_end">): string {
  const days = row.frequency + 1;
  return customersAt({ ordered_on: { min: days, max: row.and_more ? null : days, until: test.calibration_end } });
}

function orderedIn({ since, until, channel, store }: Narrowed): Partial<Wanted> {
  return {
    ordered_from: since,
    ordered_to: until,
    ordered_channels: channel === null ? [] : [channel],
    ordered_stores: store === null ? [] : [store],
  };
}

/** Days are texts that are in the order of time. */
function later(day: string, other: string | null): string {
  return other !== null && other > day ? other : day;
}

function earlier(day: string, other: string | null): string {
  return other !== null && other < day ? other : day;
}

/** The first day of the month so many months after that of a day. */
function monthsLater(day: string, months: number): string {
  const [year = 0, month = 1] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
