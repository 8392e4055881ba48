/** What is asked of the room `catalog`. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Product = components["schemas"]["ProductRow"];
export type Store = components["schemas"]["StoreRow"];
export type Channel = components["schemas"]["ChannelRow"];

const PAGE = 100;

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
