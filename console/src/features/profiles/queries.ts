/** What is asked of the room `profiles`, and what a change there makes stale. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import { meaning, tagged } from "@/platform/editing";
import type { components } from "@/platform/schema";

export type AttributeDefinition = components["schemas"]["AttributeDefinition"];
export type Identity = components["schemas"]["Identity"];
export type Merge = components["schemas"]["Merge"];
export type Tag = components["schemas"]["Tag"];
export type Consent = components["schemas"]["CurrentConsent"];
export type Value = string | number | boolean;

/** Who put a label on, or merged, where the console did. */
export const CONSOLE = "console";

export const ATTRIBUTES = ["attributes"];

export function useDefinitions() {
  return useQuery({
    queryKey: ATTRIBUTES,
    queryFn: () => answer(api.GET("/api/attributes")),
    staleTime: 300_000,
  });
}

export function ofDefinition(name: string) {
  const params = { path: { name } };
  return { name: [...ATTRIBUTES, name], read: () => tagged(api.GET("/api/attributes/{name}", { params })) };
}

export function useMerges(customer: string) {
  return useQuery({
    queryKey: ["customers", customer, "merges"],
    queryFn: () => answer(api.GET("/api/customers/{customer_id}/merges", { params: path(customer) })),
  });
}

export function useSetAttribute(customer: string) {
  return useChange(customer, ({ name, value, tag }: { name: string; value: Value | null; tag: string }) =>
    tagged(
      api.PATCH("/api/customers/{customer_id}", {
        params: { ...path(customer), header: meaning(tag) },
        body: { attributes: { [name]: value } },
      }),
    ),
  );
}

export function useAddTag(customer: string) {
  return useChange(customer, (tag: string) =>
    answer(api.POST("/api/customers/{customer_id}/tags", { params: path(customer), body: { tag, source: CONSOLE } })),
  );
}

/** Taken off as a batch of one, since that can be taken back with its sources and expiries. */
export function useRemoveTag(customer: string) {
  return useChange(customer, (tag: string) =>
    answer(
      api.POST("/api/customers/tags", {
        body: { customer_ids: [customer], tag, source: null, expires_at: null, query: null, remove: true },
      }),
    ),
  );
}

export function useUndoTags(customer: string) {
  return useChange(customer, (batch: string) =>
    answer(api.POST("/api/customers/tags/{batch_id}/undo", { params: { path: { batch_id: batch } } })),
  );
}

export function useAddIdentity(customer: string) {
  return useChange(customer, (body: { kind: string; value: string }) =>
    answer(api.POST("/api/customers/{customer_id}/identities", { params: path(customer), body })),
  );
}

export function useMerge(customer: string) {
  return useChange(customer, (loser: string) =>
    answer(api.POST("/api/merges", { body: { winner: customer, loser, by: CONSOLE, why: "same_person" } })),
  );
}

export function useUndoMerge(customer: string) {
  return useChange(customer, (merge: string) =>
    answer(api.POST("/api/merges/{merge_id}/undo", { params: { path: { merge_id: merge } } })),
  );
}

export function useRecordConsent(customer: string) {
  return useChange(customer, (body: components["schemas"]["ConsentBody"]) =>
    answer(api.POST("/api/customers/{customer_id}/consents", { params: path(customer), body })),
  );
}

export function findCustomer(kind: string, value: string) {
  return answer(api.POST("/api/customers/find", { body: { kind, value } }));
}

function path(customer: string) {
  return { path: { customer_id: customer } };
}

/** A change of one customer; all that is shown of them is asked for anew. */
function useChange<Given, Done>(customer: string, change: (given: Given) => Promise<Done>) {
  return useMutation({ mutationFn: change, onSuccess: useAgain(customer) });
}

/** Asks anew for all that is shown of a customer. */
export function useAgain(customer: string): () => Promise<void> {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ["customers", customer] });
}
