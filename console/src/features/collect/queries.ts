/** What is asked of the room `collect`. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Fact = components["schemas"]["TimelineFact"];
export type Quality = components["schemas"]["DataQuality"];

const PAGE = 30;

export function useTimeline(customer: string, kinds: readonly string[] | null) {
  return useInfiniteQuery({
    queryKey: ["customers", customer, "timeline", kinds],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/customers/{customer_id}/timeline", {
          params: {
            path: { customer_id: customer },
            query: { limit: PAGE, before: pageParam, kind: kinds ? [...kinds] : null },
          },
        }),
      ),
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

export function useQuality(hours: number, source: string | null) {
  return useQuery({
    queryKey: ["data-quality", hours, source],
    queryFn: () => answer(api.GET("/api/data-quality", { params: { query: { hours, source } } })),
    placeholderData: keepPreviousData,
  });
}
