/** Groups of customers that were found: what the job says of them, and how to read it. Pure. */
import type { Job } from "@/shell/useJob";

import type { Trait } from "./queries";
import type { Node } from "./tree";

/** What a job of this kind comes to. */
export interface Groups {
  as_of: string;
  /** Customers with an order, who are all in one of the groups. */
  customers: number;
  chosen: number;
  /** Each number of groups that was tried, with its mean silhouette, −1 to 1. */
  tried: { clusters: number; score: number }[];
  clusters: Group[];
}

export interface Group {
  name: string;
  customers: number;
  share: number;
  /** The rule that means the group from now on, as it is and in words. */
  definition: Node;
  text: string;
  /** Of who is in the group or meant by the rule, the share that is both. */
  agreement: number;
  traits: Trait[];
}

export const KIND = "segments.clusters";

/** As many as may be asked for. */
export const NUMBERS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** What was found; null while it is not, and of other jobs. */
export function groupsOf(job: Job | undefined): Groups | null {
  return job?.kind === KIND && job.state === "done" ? (job.result as unknown as Groups) : null;
}

/** How far the groups are apart, by the mean silhouette (Kaufman and Rousseeuw 1990, table 4 of chapter 2). */
export function apartOf(score: number): "clearly" | "fairly" | "weakly" | "hardly" {
  if (score > 0.7) return "clearly";
  if (score > 0.5) return "fairly";
  return score > 0.25 ? "weakly" : "hardly";
}

/** The silhouette of the number that was taken. */
export function scoreOf({ chosen, tried }: Groups): number | null {
  return tried.find(({ clusters }) => clusters === chosen)?.score ?? null;
}
