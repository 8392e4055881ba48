/** Imports: what is asked of the server, and what a reader has decided about the files so far. */
import { keepPreviousData, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { askJob, hasEnded, jobKey, type Job } from "@/shell/useJob";

export type Preview = components["schemas"]["Preview"];
export type Guess = components["schemas"]["Guess"];
export type Import = components["schemas"]["ImportAnswer"];
export type WholeImport = components["schemas"]["WholeImport"];
export type Kind = Preview["kind"];
export type ImportBody = components["schemas"]["ImportBody"];

export const KINDS: readonly Kind[] = ["orders", "customers", "products", "costs", "events"];
const ASK_AGAIN_MS = 700;
const COLLEAGUE_MS = 3_000;

/** What a reader has decided about files. */
export interface Decided {
  kind: Kind;
  mapping: Record<string, string>;
  currency: string | null;
  timezone: string;
  source: string;
  identityKind: string | null;
}

/** The jobs that look at files that were sent. */
export function useLooks(ids: readonly string[]) {
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: jobKey(id),
      queryFn: () => askJob(id),
      refetchInterval: ({ state }: { state: { data: Job | undefined } }) =>
        hasEnded(state.data) ? false : ASK_AGAIN_MS,
    })),
  });
}

export function usePreviews(ids: readonly string[]) {
  return useQueries({
    queries: ids.map((id) => ({
      queryKey: ["previews", id],
      queryFn: () => answer(api.GET("/api/imports/previews/{preview_id}", { params: { path: { preview_id: id } } })),
      staleTime: Infinity,
    })),
  });
}

export function useImports() {
  return useInfiniteQuery({
    queryKey: ["imports"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/imports", { params: { query: { before: pageParam, limit: 20 } } })),
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

/** One import with what was left out, asked for again once it has ended; a colleague's, now and then until it has. */
export function useImport(id: string, ended: boolean) {
  return useQuery({
    queryKey: ["imports", id, ended],
    queryFn: () => answer(api.GET("/api/imports/{import_id}", { params: { path: { import_id: id } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (ended && state.data && !hasEnded(state.data) ? COLLEAGUE_MS : false),
  });
}

export function guessOf(preview: Preview, kind: Kind): Guess {
  return preview.guesses.find((one) => one.kind === kind) ?? { kind, mapping: {}, missing: [] };
}

/** What is still to be said before files of a kind can be brought in. */
export function lacking(decided: Decided, guess: Guess): string[] {
  const has = (field: string) => field in decided.mapping;
  const lacks = guess.missing.filter((field) => {
    if (field === "amount") return !has("amount") && !(has("quantity") && has("price"));
    if (field === "identity") return !Object.keys(decided.mapping).some((one) => IDENTITIES.includes(one));
    return !has(field);
  });
  const priced = ["price", "unit_cost", "cost"].some(has);
  const money = decided.kind === "orders" || decided.kind === "costs" || (decided.kind === "products" && priced);
  return money && !decided.currency && !has("currency") ? [...lacks, "currency"] : lacks;
}

/** Kinds of identities, of which one has to name whose a row is. */
export const IDENTITIES = [
  "user_id",
  "email",
  "phone",
  "unionid",
  "external_userid",
  "member_number",
  "openid",
  "anonymousId",
];

/** What is asked for once everything is decided. */
export function bodyOf(decided: Decided, files: string[], dryRun: boolean): ImportBody {
  return {
    kind: decided.kind,
    files,
    // Costs are read by their columns' names alone.
    mapping: decided.kind === "costs" ? {} : decided.mapping,
    // Where a column says it, naming one would leave out the rows in others.
    currency: "currency" in decided.mapping ? null : decided.currency,
    timezone: decided.timezone,
    source: decided.source,
    identity_kind: decided.kind === "orders" ? decided.identityKind : null,
    dry_run: dryRun,
  };
}

/** What was decided before about the same files, in this window. */
export function recall(key: string): Decided | null {
  const kept = sessionStorage.getItem(`shuke.import.${key}`);
  return kept === null ? null : (JSON.parse(kept) as Decided);
}

export function remember(key: string, decided: Decided): void {
  sessionStorage.setItem(`shuke.import.${key}`, JSON.stringify(decided));
}
