/** What is asked for the analytical pages. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { midnight } from "@/base/midnight";
import { brandZone } from "@/base/page";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

import { narrowedOf, type Narrowed } from "./views";

type Schemas = components["schemas"];
export type Basis = Schemas["Basis"];
export type Flow = Schemas["Flow"];
export type Flows = Schemas["Flows"];
export type AsKnown = Schemas["AsKnown"];
export type RfmCells = Schemas["RfmCells"];
export type RfmCell = Schemas["RfmCell"];
export type Values = Schemas["Values"];
export type ValueBand = Schemas["ValueBand"];
export type StageValues = Schemas["StageValues"];
export type StageTotal = Schemas["StageTotal"];
export type Cohorts = Schemas["Cohorts"];
export type Cohort = Schemas["Cohort"];
export type Cell = Schemas["CohortCell"];
export type Retention = Schemas["Retention"];
export type Channels = Schemas["Channels"];
export type ChannelEconomics = Schemas["ChannelEconomics"];
export type ModelQuality = Schemas["ModelQuality"];
export type Calibration = Schemas["Calibration"];
export type ModelTest = Schemas["ModelTest"];
export type Products = Schemas["Products"];
export type ProductContribution = Schemas["ProductContribution"];
export type Baskets = Schemas["Baskets"];
export type Pair = Schemas["Pair"];
export type FirstProducts = Schemas["FirstProducts"];

/** Where customers began, and the currency of their facts: what figures of the facts are narrowed by. */
function ofFacts({ channel, store, currency }: Narrowed) {
  return { channel, store, currency };
}

/** And the day at whose end they were known so. */
function asOf(narrowed: Narrowed) {
  return { ...ofFacts(narrowed), at: narrowed.until === null ? null : midnight(narrowed.until, 1, brandZone) };
}

export function useFlows(moments: { since: string; until: string }, narrowed: Narrowed) {
  const query = { ...moments, ...ofFacts(narrowed) };
  return useQuery({
    queryKey: ["lifecycle", "flows", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/flows", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useStages(narrowed: Narrowed) {
  const query = asOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "stages", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/stages", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useRfm(narrowed: Narrowed) {
  const query = asOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "rfm", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/rfm", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useValues(narrowed: Narrowed) {
  const query = asOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "values", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/values", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useCohorts(narrowed: Narrowed, period: "month" | "quarter") {
  const query = { ...narrowedOf(narrowed), period };
  return useQuery({
    queryKey: ["lifecycle", "cohorts", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/cohorts", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useRetention(narrowed: Narrowed) {
  const query = narrowedOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "retention", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/retention", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useChannelEconomics(narrowed: Narrowed) {
  const query = narrowedOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "channels", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/channels", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Null before a refresh that tested its model. */
export function useModelQuality() {
  return useQuery({
    queryKey: ["lifecycle", "quality"],
    queryFn: async ({ signal }) => (await api.GET("/api/lifecycle/quality", { signal })).data ?? null,
  });
}

export function useContribution(narrowed: Narrowed, by: "product" | "category") {
  const query = { ...narrowedOf(narrowed), by };
  return useQuery({
    queryKey: ["lifecycle", "products", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/products", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useBaskets(narrowed: Narrowed) {
  const query = narrowedOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "baskets", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/baskets", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function useFirstProducts(narrowed: Narrowed) {
  const query = narrowedOf(narrowed);
  return useQuery({
    queryKey: ["lifecycle", "first-products", query],
    queryFn: ({ signal }) => answer(api.GET("/api/lifecycle/first-products", { params: { query }, signal })),
    placeholderData: keepPreviousData,
  });
}

/** Have the facts worked out now. */
export function useRefresh() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answer(api.POST("/api/refreshes")),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["overview"] }),
  });
}
