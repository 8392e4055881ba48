/** What is asked of the room `lifecycle`. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { tagged } from "@/platform/editing";
import type { components } from "@/platform/schema";

import type { ListBody } from "./wanted";

export type Row = components["schemas"]["CustomerRow"];
export type Overview = components["schemas"]["Overview"];
export type StageTotal = components["schemas"]["StageTotal"];
export type Week = components["schemas"]["Week"];
export type Whole = components["schemas"]["WholeCustomer"];
export type Facts = components["schemas"]["CustomerFacts"];

export function useCustomer(customer: string) {
  return useQuery({
    queryKey: ["customers", customer],
    queryFn: () =>
      tagged(
        api.GET("/api/customers/{customer_id}", {
          params: { path: { customer_id: customer }, query: { latest: 1 } },
        }),
      ),
  });
}

const PAGE = 50;

/** Customers as wanted, page by page. */
export function useCustomers(body: ListBody) {
  return useInfiniteQuery({
    queryKey: ["customers", "list", body],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      answer(api.POST("/api/customers/list", { body: asked({ ...body, after: pageParam, limit: PAGE }), signal })),
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

/** The first few customers whom a search finds; nobody is asked before there is something to search for. */
export function useFound(search: string, limit: number) {
  return useQuery({
    queryKey: ["customers", "found", search, limit],
    queryFn: ({ signal }) => answer(api.POST("/api/customers/list", { body: asked({ search, limit }), signal })),
    enabled: search.length > 1,
    placeholderData: keepPreviousData,
  });
}

/** What a segment is called that the list is narrowed to, for whoever may see segments. */
export function useSegmentName(segment_id: string | null): string | null {
  const may = useMay();
  const found = useQuery({
    queryKey: ["segments", segment_id, "name"],
    queryFn: () =>
      answer(
        api.GET("/api/segments/{segment_id}", {
          params: { path: { segment_id: segment_id ?? "" }, query: { fields: "name" } },
        }),
      ),
    enabled: segment_id !== null && may("segments.read"),
  });
  return found.data?.name ?? null;
}

/** How often it is asked whether the facts are there, after they were asked for. */
const ASKED_AGAIN_MS = 3_000;

export function useOverview(awaited = false) {
  return useQuery({
    queryKey: ["overview"],
    queryFn: () => answer(api.GET("/api/overview")),
    refetchInterval: (query) => (awaited && !query.state.data?.refresh ? ASKED_AGAIN_MS : false),
  });
}

/** All that the description of the API gives a default for is optional; its types do not say so. */
function asked(body: ListBody): components["schemas"]["ListBody"] {
  return body as components["schemas"]["ListBody"];
}
