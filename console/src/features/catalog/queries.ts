/** What is asked of the room `catalog`. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Product = components["schemas"]["ProductRow"];
export type Store = components["schemas"]["StoreRow"];
export type Channel = components["schemas"]["ChannelRow"];

export const BRAND = ["brand"];
const PAGE = 100;

/** Who the brand is; asked of the server only for whoever may see settings. */
export function useBrand() {
  const may = useMay();
  return useQuery({
    queryKey: BRAND,
    queryFn: () => answer(api.GET("/api/settings/brand")),
    enabled: may("settings.read"),
  });
}

export interface Narrowed {
  category: string | null;
  brand: string | null;
}

export function useProducts(narrowed: Narrowed) {
  return useInfiniteQuery({
    queryKey: ["products", narrowed],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/products", { params: { query: { after: pageParam, limit: PAGE, ...narrowed } } })),
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

export function useStores() {
  return useInfiniteQuery({
    queryKey: ["stores"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/stores", { params: { query: { after: pageParam, limit: PAGE } } })),
    getNextPageParam: (page) => page.next,
  });
}

export function useChannels() {
  return useInfiniteQuery({
    queryKey: ["channels"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/channels", { params: { query: { after: pageParam, limit: PAGE } } })),
    getNextPageParam: (page) => page.next,
  });
}
