/** What is asked of the room `connectors`. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import { tagged } from "@/platform/editing";
import type { components } from "@/platform/schema";

type Schemas = components["schemas"];
export type Webhook = Schemas["EndpointAnswer"];
export type Wanted = Schemas["EndpointBody"];
export type Message = Schemas["DeliveryAnswer"];
export type Attempt = Schemas["AttemptAnswer"];

const WEBHOOKS = ["webhooks"];
const PAGE = 25;
/** What waits is sent within seconds: whoever watches is to see it. */
const WATCH_MS = 2_000;

const at = (endpoint_id: string) => ({ params: { path: { endpoint_id } } });

export function useWebhooks() {
  return useQuery({ queryKey: [...WEBHOOKS, "all"], queryFn: () => answer(api.GET("/api/webhooks")) });
}

/** One webhook, to be changed. */
export function reading(id: string) {
  return { name: [...WEBHOOKS, id], read: () => tagged(api.GET("/api/webhooks/{endpoint_id}", at(id))) };
}

export function useMessages(id: string, state: Message["state"] | null) {
  return useInfiniteQuery({
    queryKey: [...WEBHOOKS, id, "messages", state],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: after }) =>
      answer(
        api.GET("/api/webhooks/{endpoint_id}/deliveries", {
          params: { path: { endpoint_id: id }, query: { after, limit: PAGE, state } },
        }),
      ),
    getNextPageParam: (page) => page.next,
    refetchInterval: (query) =>
      query.state.data?.pages[0]?.items.some((one) => one.state === "waiting") ? WATCH_MS : false,
  });
}

export function useMessage(endpoint_id: string, message: Message) {
  const { delivery_id } = message;
  return useQuery({
    // Another attempt is another answer.
    queryKey: [...WEBHOOKS, endpoint_id, "message", delivery_id, message.attempts, message.state],
    queryFn: () =>
      answer(
        api.GET("/api/webhooks/{endpoint_id}/deliveries/{delivery_id}", {
          params: { path: { endpoint_id, delivery_id } },
        }),
      ),
  });
}

/** After a change, everything about webhooks is asked for anew. */
export function useAgain() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: WEBHOOKS });
}
