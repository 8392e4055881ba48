/** The brand's stages: what they are called, and what decides. */
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { callOtherwise } from "@/base/language";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Stages = components["schemas"]["StagesBody"];
export type StagesAnswer = components["schemas"]["StagesAnswer"];
export type Rule = components["schemas"]["RuleBody"];
export type Limits = components["schemas"]["LimitsBody"];
export type Conditions = Record<string, Limits>;

export const STAGE_NAMES = ["stages", "names"];

/** Every page calls the stages as the brand does. */
export function useStageNames(): void {
  const { i18n } = useTranslation();
  const may = useMay();
  const named = useQuery({
    queryKey: STAGE_NAMES,
    queryFn: () => answer(api.GET("/api/stages")),
    enabled: may("customers.read"),
    staleTime: Infinity,
  });
  useEffect(() => {
    if (named.data) {
      callOtherwise(i18n, "stages", Object.fromEntries(named.data.items.map((one) => [one.code, one.name])));
    }
  }, [i18n, i18n.language, named.data]);
}

export const LIMITS = ["at_least", "above", "at_most", "below"] as const;
export type Limit = (typeof LIMITS)[number];

/** One limit of one field, as it is edited; without a value it does not bind yet. */
export interface Row {
  field: string;
  limit: Limit;
  value: number | null;
}

export interface RuleDraft {
  key: number;
  stage: string;
  when: Row[];
  otherwise: Row[] | null;
}

/** Stages while they are edited. */
export interface Draft {
  stages: Stages["stages"];
  rules: RuleDraft[];
  usual_gap_days: number | null;
}

export function draftOf(stages: Stages): Draft {
  return {
    stages: stages.stages,
    rules: stages.rules.map((rule, key) => ({
      key,
      stage: rule.stage,
      when: rowsOf(rule.when),
      otherwise: rule.otherwise ? rowsOf(rule.otherwise) : null,
    })),
    usual_gap_days: stages.usual_gap_days ?? null,
  };
}

export function stagesOf(draft: Draft): Stages {
  return {
    stages: draft.stages.map((one) => ({ ...one, name: withoutBlanks(one.name) })),
    rules: draft.rules.map(({ stage, when, otherwise }) => ({
      stage,
      when: conditionsOf(when),
      otherwise: otherwise && conditionsOf(otherwise),
    })),
    usual_gap_days: draft.usual_gap_days,
  };
}

function rowsOf(conditions: Conditions): Row[] {
  return Object.entries(conditions).flatMap(([field, limits]) =>
    LIMITS.flatMap((limit) => {
      const value = limits[limit];
      return value == null ? [] : [{ field, limit, value }];
    }),
  );
}

function conditionsOf(rows: readonly Row[]): Conditions {
  const made: Conditions = {};
  for (const { field, limit, value } of rows) if (value !== null) made[field] = { ...made[field], [limit]: value };
  return made;
}

function withoutBlanks(names: Stages["stages"][number]["name"]): Stages["stages"][number]["name"] {
  return Object.fromEntries(Object.entries(names).filter(([, name]) => name.trim() !== ""));
}
