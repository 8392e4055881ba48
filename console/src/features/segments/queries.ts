/** What is asked of the room `segments`. */
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import { tagged } from "@/platform/editing";
import type { components, paths } from "@/platform/schema";

import { KIND } from "./groups";
import type { Group, Node } from "./tree";

type Schemas = components["schemas"];
export type Segment = Schemas["SegmentAnswer"];
export type Version = Schemas["VersionAnswer"];
export type Change = Schemas["Change"];
export type Explained = Schemas["ExplainedAnswer"];
export type Preview = paths["/api/segments/preview"]["post"]["responses"][200]["content"]["application/json"];
export type Vocabulary = Schemas["VocabularyAnswer"];
export type Template = Schemas["TemplatesAnswer"]["items"][number];
export type Size = Schemas["SizesAnswer"]["items"][number];
export type Using = Schemas["UsesAnswer"]["items"][number];
export type Overlap = Schemas["OverlapAnswer"];
export type Trait = Schemas["TraitAnswer"];
export type Comparison = Schemas["ComparisonAnswer"];
export type List = Schemas["ListsAnswer"]["items"][number];
export type ListMade = Schemas["NewListAnswer"];
export type Suggestion = Schemas["SuggestionsAnswer"]["items"][number];

export const SEGMENTS = ["segments"];
const PAGE = 25;

export function useSegments() {
  return useQuery({ queryKey: [...SEGMENTS, "all"], queryFn: () => answer(api.GET("/api/segments")) });
}

const at = (segment_id: string) => ({ params: { path: { segment_id } } });

export function useSegment(id: string) {
  return useQuery({
    queryKey: [...SEGMENTS, id],
    queryFn: () => answer(api.GET("/api/segments/{segment_id}", at(id))),
  });
}

/** One segment, to be changed. */
export function reading(id: string) {
  return { name: [...SEGMENTS, id], read: () => tagged(api.GET("/api/segments/{segment_id}", at(id))) };
}

/** After a change, everything about segments is asked for anew; but not of one that is gone. */
export function useAgain() {
  const queries = useQueryClient();
  return (gone?: string) =>
    queries.invalidateQueries({ queryKey: SEGMENTS, predicate: ({ queryKey }) => queryKey[1] !== gone });
}

/** What a definition says as the server writes it; it is read as the tree that it is. */
export function definitionIn(said: { definition: Record<string, unknown> }): Node {
  return said.definition as unknown as Node;
}

export function usePreview(definition: Group, asked: boolean) {
  return useQuery({
    queryKey: [...SEGMENTS, "preview", definition],
    queryFn: ({ signal }) => answer(api.POST("/api/segments/preview", { body: { definition }, signal })),
    placeholderData: keepPreviousData,
    enabled: asked,
    // Whoever comes back to it is to see whom it means now.
    staleTime: 10_000,
  });
}

export function useVersions(id: string) {
  return useQuery({
    queryKey: [...SEGMENTS, id, "versions"],
    queryFn: () => answer(api.GET("/api/segments/{segment_id}/versions", at(id))),
  });
}

export function useMembers(id: string) {
  return useInfiniteQuery({
    queryKey: [...SEGMENTS, id, "members"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: after }) =>
      answer(
        api.GET("/api/segments/{segment_id}/members", {
          params: { path: { segment_id: id }, query: { after, limit: PAGE } },
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
}

export function useChanges(id: string) {
  return useInfiniteQuery({
    queryKey: [...SEGMENTS, id, "changes"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: after }) =>
      answer(
        api.GET("/api/segments/{segment_id}/changes", {
          params: { path: { segment_id: id }, query: { after, limit: PAGE } },
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
}

export function useExplanation(id: string, customer: string) {
  return useQuery({
    queryKey: [...SEGMENTS, id, "why", customer],
    queryFn: () =>
      answer(
        api.GET("/api/segments/{segment_id}/customers/{customer_id}", {
          params: { path: { segment_id: id, customer_id: customer } },
        }),
      ),
  });
}

/** How long the words of the brand are kept without being asked for again. */
const WORDS_MS = 300_000;

export function useVocabulary() {
  return useQuery({
    queryKey: [...SEGMENTS, "vocabulary"],
    queryFn: () => answer(api.GET("/api/segments/vocabulary")),
    staleTime: WORDS_MS,
  });
}

/** What suggestions are of: an attribute, a property of some fact, or goods and places. */
export interface Of {
  of: "attribute" | "property" | "product" | "category" | "brand" | "tag" | "channel" | "store";
  name?: string;
  fact_kind?: string;
  fact_name?: string;
  /** Only of facts of which this property is this. */
  where?: string;
  where_is?: string;
}

export function useSuggestions(of: Of | null, begins: string) {
  return useQuery({
    queryKey: [...SEGMENTS, "suggestions", of, begins],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/segments/suggestions", {
          params: { query: { ...(of ?? { of: "tag" as const }), ...(begins ? { begins } : {}) } },
          signal,
        }),
      ),
    enabled: of !== null,
    placeholderData: keepPreviousData,
    staleTime: WORDS_MS,
  });
}

export function useTemplates(asked = true) {
  return useQuery({
    queryKey: [...SEGMENTS, "templates"],
    queryFn: () => answer(api.GET("/api/segments/templates")),
    enabled: asked,
    staleTime: WORDS_MS,
  });
}

export function useSizes(id: string, days: number, asked = true) {
  return useQuery({
    queryKey: [...SEGMENTS, id, "sizes", days],
    queryFn: () =>
      answer(api.GET("/api/segments/{segment_id}/sizes", { params: { path: { segment_id: id }, query: { days } } })),
    enabled: asked,
    placeholderData: keepPreviousData,
  });
}

export function useUses(id: string) {
  return useQuery({
    queryKey: [...SEGMENTS, id, "uses"],
    queryFn: () => answer(api.GET("/api/segments/{segment_id}/uses", at(id))),
  });
}

export function useOverlap(ids: readonly string[]) {
  return useQuery({
    queryKey: [...SEGMENTS, "overlap", ids],
    queryFn: () => answer(api.GET("/api/segments/overlap", { params: { query: { of: [...ids] } } })),
    enabled: ids.length > 1,
    placeholderData: keepPreviousData,
  });
}

/** What is worked out of everybody is not worked out again because somebody looks away and back. */
const WORKED_OUT_MS = 300_000;

export function useProfile(id: string) {
  return useQuery({
    queryKey: [...SEGMENTS, id, "profile"],
    queryFn: ({ signal }) => answer(api.GET("/api/segments/{segment_id}/profile", { ...at(id), signal })),
    staleTime: WORKED_OUT_MS,
  });
}

export function useComparison(one: string, other: string) {
  return useQuery({
    queryKey: [...SEGMENTS, one, "beside", other],
    queryFn: ({ signal }) => answer(api.GET("/api/segments/compare", { params: { query: { one, other } }, signal })),
    staleTime: WORKED_OUT_MS,
  });
}

export const LATEST_GROUPS = ["jobs", KIND];

/** The latest job of one's own that looked for groups. */
export function useLatestGroups(asked: boolean) {
  return useQuery({
    queryKey: LATEST_GROUPS,
    queryFn: () => answer(api.GET("/api/jobs", { params: { query: { kind: KIND, limit: 1 } } })),
    enabled: asked,
  });
}

const LISTS = [...SEGMENTS, "lists"];

export function useLists() {
  return useQuery({ queryKey: LISTS, queryFn: () => answer(api.GET("/api/segments/lists")) });
}
