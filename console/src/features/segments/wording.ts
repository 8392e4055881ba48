/** What parts of a statement say in the reader's language; the whole sentence is the server's. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";

import type { Vocabulary } from "./queries";
import {
  givenFor,
  isTestWhole,
  type Kind,
  type Measure,
  type Orders,
  type Span,
  type Test,
  type What,
  type Window,
} from "./statements";

/** How a number is written: as money in minor units, as a share, or as it is. */
export type Format = "money" | "share" | "plain";

/** The name of a share of what was spent, by which it is written. */
export const SPENDING = "share_of_spending";
const SHARES = ["p_alive", "churn_probability", "discount_share", SPENDING];

export function formatOf(name: string): Format {
  if (name.endsWith("_minor")) return "money";
  return SHARES.includes(name) ? "share" : "plain";
}

/** Groups of names that the values of a figure are codes of. */
const CODES: Record<string, string> = {
  stage: "stages",
  rfm_group: "rfm_groups",
  value_group: "value_groups",
  first_channel: "channels",
  channel: "channels",
  gender: "choices",
};

export interface Wording {
  attribute: (name: string) => string;
  figure: (name: string) => string;
  property: (name: string) => string;
  fact: (kind: string | null | undefined, name: string | null | undefined) => string;
  value: (value: string | number | boolean, name: string) => string;
  test: (test: Test, name: string) => string | null;
  times: (test: Test) => string | null;
  span: (span: Span) => string;
  window: (window: Window) => string | null;
  what: (what: What) => string;
  /** The goods that orders are to have, and what else is wanted of these; null where no goods are named. */
  goods: (what: Orders) => string | null;
  part: (test: Test) => string | null;
  measure: (of: string, by: Measure) => string;
  either: (words: readonly string[]) => string;
}

export function useWording(words: Vocabulary, currency: string | null): Wording {
  const { t } = useTranslation(["segments", "shell"]);
  const names = useNames();
  const say = useSaying();
  return useMemo(() => {
    const either = (given: readonly string[]) =>
      new Intl.ListFormat(say.language, { type: "disjunction" }).format(given);
    const attribute = (name: string) => {
      const known = words.attributes.find((one) => one.name === name)?.label;
      return known ?? names("attributes", name);
    };
    const figure = (name: string) => words.figures.find((one) => one.name === name)?.label ?? name;
    const property = (name: string) => (name in PROPERTIES ? t(`properties.${name as keyof typeof PROPERTIES}`) : name);
    const fact: Wording["fact"] = (kind, name) =>
      name ? names("events", name) : kind ? names("kinds", kind) : t("whats.fact");
    const number = (value: number, name: string) => {
      const format = formatOf(name);
      if (format === "money") return say.money(value, currency);
      return format === "share" ? say.share(value, 1) : say.number(value, 6);
    };
    const value: Wording["value"] = (given, name) => {
      if (typeof given === "boolean") return t(given ? "shell:yes" : "shell:no");
      if (typeof given === "number") return number(given, name);
      const group = CODES[name];
      if (group) return names(group, given);
      const store = name === "first_store" || name === "store";
      return store ? (words.stores.find((one) => one.value === given)?.label ?? given) : given;
    };
    const test: Wording["test"] = (given, name) => {
      if (!isTestWhole(given)) return null;
      if (given.than) return t(`tests.${given.op}`, { values: attribute(given.than), low: "", high: "" });
      const days = givenFor(given.op) === "days";
      const dated =
        ["before", "since"].includes(given.op) || (given.op === "between" && typeof given.values[0] === "string");
      const said = given.values.map((one) =>
        dated
          ? say.day(String(one))
          : days
            ? say.number(Number(one))
            : quoted(value(one, name), typeof one === "string" && !CODES[name]),
      );
      const [low = "", high = ""] = said;
      return t(`tests.${given.op}`, { values: either(said), low, high });
    };
    const quoted = (text: string, own: boolean) => (own ? t("quoted", { text }) : text);
    const times: Wording["times"] = (given) => {
      if (!isTestWhole(given)) return null;
      const [first] = given.values;
      const never = (given.op === "is" && first === 0) || (given.op === "at_most" && first === 0);
      if (never || (given.op === "less" && first === 1)) return t("times.never");
      if ((given.op === "at_least" && first === 1) || (given.op === "more" && first === 0)) return t("times.once");
      const said = given.values.map((one) => say.number(Number(one)));
      const [low = "", high = ""] = said;
      return t(`times.${given.op as "is"}`, { values: either(said), low, high });
    };
    const span: Wording["span"] = ({ n, unit }) => t(`spans.${unit}`, { count: n });
    const what: Wording["what"] = (given) => {
      if (given.of === "facts") {
        const name = fact(given.kind, given.name);
        const tests = given.where.map((one) => `${property(one.name)} ${test(one.test, one.name) ?? "…"}`);
        return tests.length === 0 ? name : t("whats.with", { what: name, tests: and(tests) });
      }
      const order = t(`whats.${given.which}`);
      const goods = goodsOf(given);
      return limited(goods === null ? order : t("whats.of", { what: order, goods }), given);
    };
    const goodsOf = ({ goods }: Orders) => {
      const { products = [], categories = [], brands = [] } = goods ?? {};
      const named = [products, categories, brands].filter((one) => one.length > 0);
      return named.length === 0 ? null : and(named.map((one) => either(one.map((text) => t("quoted", { text })))));
    };
    const limited = (named: string, given: Orders) => {
      const tests = [
        ...(given.amount ? [`${property("amount_minor")} ${test(given.amount, "amount_minor") ?? "…"}`] : []),
        ...(given.discount_share
          ? [`${property("discount_share")} ${test(given.discount_share, "discount_share") ?? "…"}`]
          : []),
        ...(given.channels.length > 0
          ? [t("whats.channels", { values: either(given.channels.map((one) => value(one, "channel"))) })]
          : []),
        ...(given.stores.length > 0
          ? [t("whats.stores", { values: either(given.stores.map((one) => value(one, "store"))) })]
          : []),
      ];
      return tests.length === 0 ? named : t("whats.with", { what: named, tests: and(tests) });
    };
    const goods: Wording["goods"] = (given) => {
      const named = goodsOf(given);
      if (named === null) return null;
      return limited(
        given.which === "any" ? named : t("whats.with", { what: named, tests: t(`whats.${given.which}`) }),
        given,
      );
    };
    const part: Wording["part"] = (given) => {
      const said = test(given, SPENDING);
      if (said === null || given.than || !(given.op in PARTS)) return said;
      const [low = "", high = ""] = given.values.map((one) => value(Number(one), SPENDING));
      return t(`shares.${given.op as keyof typeof PARTS}`, { low, high });
    };
    const and = (given: readonly string[]) => new Intl.ListFormat(say.language, { type: "conjunction" }).format(given);
    const window: Wording["window"] = (given) => {
      switch (given.when) {
        case "ever":
        case "since_stage":
          return t(`windows.${given.when}`);
        case "last":
          return given.span.n > 0 ? t("windows.last", { span: span(given.span) }) : null;
        case "between": {
          const [since, until] = [given.since, given.until].map((day) => (day ? say.day(day) : ""));
          if (given.since && given.until) return t("windows.between", { since, until });
          if (given.since) return t("windows.since", { since });
          return given.until ? t("windows.until", { until }) : null;
        }
        default: {
          const said = { which: t(`anchors.${given.which}`), what: what(given.what) };
          if (!given.within) return t(`windows.${given.when}`, said);
          return t(`windows.${given.when}_within`, { ...said, span: span(given.within) });
        }
      }
    };
    const measure: Wording["measure"] = (of, by) => t(`measures.${by}`, { of: property(of) });
    return { attribute, figure, property, fact, value, test, times, span, window, what, goods, part, measure, either };
  }, [t, names, say, words, currency]);
}

/** Comparisons of a share that stand before what it is of. */
const PARTS = { at_least: true, at_most: true, more: true, less: true, between: true } as const;

/** Those that have a name here; the others are the brand's own. */
export const PROPERTIES = {
  amount_minor: "number",
  discount_share: "number",
  quantity: "number",
  product_id: "text",
  category: "text",
  brand: "text",
  channel: "text",
  store: "text",
  session: "text",
  day: "moment",
  survey: "text",
  score: "number",
  answer: "text",
} as const satisfies Record<string, Kind>;
