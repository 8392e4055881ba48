/**
 * Edits that cannot overwrite each other.
 *
 * A form is filled from one reading of a thing, and what it saves goes with the tag of that reading: the server refuses
 * it when the thing has become another meanwhile. What is asked anew in the background changes neither.
 */
import { useQuery, useQueryClient, type QueryKey } from "@tanstack/react-query";

import { NO_ANSWER, Problem } from "./client";

/** What the server answers when what was meant is not there any more as it was seen. */
export const CHANGED_MEANWHILE = "access.changed_meanwhile";

/** A thing as it was read, with the tag of the state that it was in. */
export interface Tagged<Thing> {
  thing: Thing;
  tag: string;
}

/** The body of an answer, with its tag. */
export async function tagged<Thing>(asked: Promise<{ data?: Thing; response: Response }>): Promise<Tagged<Thing>> {
  const { data, response } = await asked;
  const tag = response.headers.get("etag");
  if (data === undefined || data === null || tag === null) throw new Problem(0, NO_ANSWER, "untagged", null);
  return { thing: data, tag };
}

/** What a change says of what it means: this state and no other, or for null that there is nothing yet. */
export function meaning(tag: string): { "If-Match": string };
export function meaning(tag: string | null): { "If-Match"?: string; "If-None-Match"?: string };
export function meaning(tag: string | null) {
  return tag === null ? { "If-None-Match": "*" } : { "If-Match": tag };
}

/** How one thing is read, and by which name; the same thing has the same name. */
export interface Reading<Thing> {
  name: QueryKey;
  read: () => Promise<Tagged<Thing>>;
}

/** What a form is filled from; null for a thing that is being made. It is read when the form opens, and not again behind it. */
export function useEdited<Thing>(reading: Reading<Thing> | null) {
  const queries = useQueryClient();
  const queryKey = ["edited", ...(reading?.name ?? [])];
  const query = useQuery<Tagged<Thing>>({
    queryKey,
    queryFn: () => (reading ? reading.read() : Promise.reject(new Error("nothing is read"))),
    enabled: reading !== null,
    // Never of itself: only whoever edits says when their form begins anew.
    staleTime: "static",
    gcTime: 0,
  });
  return {
    ...query,
    /** Go on from what one's own change has made of it. */
    goOn: (made: Tagged<Thing>) => {
      queries.setQueryData<Tagged<Thing>>(queryKey, (before) => before && made);
    },
    /** Begin anew from the newest. */
    renew: () => void query.refetch(),
  };
}
