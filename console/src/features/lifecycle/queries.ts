/** What is asked of the room `lifecycle`. */
import { useQuery } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Whole = components["schemas"]["WholeCustomer"];
export type Facts = components["schemas"]["CustomerFacts"];

export function useCustomer(customer: string) {
  return useQuery({
    queryKey: ["customers", customer],
    queryFn: () =>
      answer(
        api.GET("/api/customers/{customer_id}", {
          params: { path: { customer_id: customer }, query: { latest: 1 } },
        }),
      ),
  });
}
