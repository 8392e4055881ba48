/** Statements to begin with, what can be asked of a value, and what still has to be filled in. Pure. */
import type { components } from "@/platform/schema";

import type { Statement } from "./tree";

type Schemas = components["schemas"];
export type Op = Schemas["Op"];
export type Test = Schemas["Test"];
export type Span = Schemas["Span"];
export type Facts = Schemas["Facts"];
export type Orders = Schemas["Orders"];
export type What = Facts | Orders;
export type Window = Schemas["Did"]["window"];
export type FigureName = Schemas["FigureName"];
export type Step = Schemas["Step"];

/** What a value is, and so how it is compared. */
export type Kind = "text" | "number" | "truth" | "date" | "moment" | "yearly";

const ORDERED: readonly Op[] = ["at_least", "at_most", "more", "less", "between"];
const DATED: readonly Op[] = ["before", "since", "between", "last_days", "next_days", "days_ago"];
const EITHER_WAY: readonly Op[] = ["known", "unknown"];
/** What can be asked of each kind of value, as the server has it. */
export const OPS: Record<Kind, readonly Op[]> = {
  text: ["is", "is_not", "contains", "lacks", "begins", ...EITHER_WAY],
  number: [...ORDERED, "is", "is_not", ...EITHER_WAY],
  truth: ["is", "is_not", ...EITHER_WAY],
  date: [...DATED, "anniversary", ...EITHER_WAY],
  moment: [...DATED, ...EITHER_WAY],
  yearly: ["anniversary", ...EITHER_WAY],
};
/** Where the other side may be another attribute of the customer. */
export const THAN: Record<Kind, readonly Op[]> = {
  text: ["is"],
  number: ["is", "at_least", "at_most", "more", "less"],
  truth: ["is"],
  date: ["before", "since"],
  moment: [],
  yearly: [],
};
const COUNTS_DAYS: readonly Op[] = ["last_days", "next_days", "days_ago", "anniversary"];
const SEVERAL: readonly Op[] = ["is", "is_not", "contains", "lacks", "begins"];
export const UNITS = ["minutes", "hours", "days", "weeks", "months"] as const;
export const STEPS_MAX = 5;

/** What is given for a test: nothing, one number of days, one value, two, or as many as one likes. */
export type Given = "nothing" | "days" | "one" | "two" | "several";

export function givenFor(op: Op): Given {
  if (EITHER_WAY.includes(op)) return "nothing";
  if (COUNTS_DAYS.includes(op)) return "days";
  if (op === "between") return "two";
  return SEVERAL.includes(op) ? "several" : "one";
}

/** The test with another comparison; what was given stays where it still fits. */
export function withOp(test: Test, op: Op): Test {
  const before = givenFor(test.op);
  const now = givenFor(op);
  const kept: Partial<Record<Given, readonly Given[]>> = {
    one: ["one", "two", "several"],
    two: ["one", "two", "several"],
    several: ["one", "two", "several"],
    days: ["days"],
  };
  const fits = kept[before]?.includes(now) === true;
  const many = now === "two" ? 2 : now === "several" ? test.values.length : 1;
  return { op, values: fits ? test.values.slice(0, many) : [] };
}

export function isTestWhole(test: Test): boolean {
  if (test.than) return true;
  const given = givenFor(test.op);
  if (given === "nothing") return true;
  if (given === "two") return test.values.length === 2;
  return given === "several" ? test.values.length > 0 : test.values.length === 1;
}

function isSpanWhole(span: Span | null | undefined): boolean {
  return !span || span.n > 0;
}

function isWindowWhole(window: Window): boolean {
  if (window.when === "last") return isSpanWhole(window.span);
  if (window.when === "between") return Boolean(window.since ?? window.until);
  return (
    window.when === "ever" || window.when === "since_stage" || (isWhatWhole(window.what) && isSpanWhole(window.within))
  );
}

function isWhatWhole(what: What): boolean {
  if (what.of === "facts") return what.where.every((one) => one.name !== "" && isTestWhole(one.test));
  return [what.amount, what.discount_share].every((test) => !test || isTestWhole(test));
}

/** Whether nothing has to be filled in any more; what is wrong beyond that, the server says. */
export function isWhole(statement: Statement): boolean {
  switch (statement.node) {
    case "attribute":
      return statement.name !== "" && isTestWhole(statement.test);
    case "figure":
      return isTestWhole(statement.test);
    case "tag":
      return statement.tag !== "";
    case "near":
      return statement.stores.length > 0;
    case "identity":
      return statement.kind !== "";
    case "consent":
      return statement.purpose !== "" && statement.channel !== "" && statement.state !== "";
    case "moved":
      return statement.stages.length > 0 && isWindowWhole(statement.window);
    case "did":
      return isWhatWhole(statement.what) && isTestWhole(statement.times) && isWindowWhole(statement.window);
    case "measured":
      return (
        statement.of !== "" &&
        (statement.by !== "share" || (statement.what.of === "orders" && Boolean(statement.what.goods))) &&
        isWhatWhole(statement.what) &&
        isTestWhole(statement.test) &&
        isWindowWhole(statement.window)
      );
    case "sequence":
      return isWindowWhole(statement.window) && statement.steps.every(isStepWhole);
    case "segment":
      return statement.segment_id !== "";
    case "list":
      return statement.list_id !== "";
    case "share":
      return statement.seed !== "" && statement.until > statement.since;
    case "top":
      return (statement.n ?? statement.percent ?? 0) > 0;
  }
}

function isStepWhole(step: Step): boolean {
  const unless = step.unless;
  return (
    isWhatWhole(step.what) &&
    isSpanWhole(step.within) &&
    (!unless || (isWhatWhole(unless.what) && isSpanWhole(unless.within)))
  );
}

export const ANY_ORDER: Orders = { of: "orders", channels: [], stores: [], which: "any" };
export const ANY_FACT: Facts = { of: "facts", where: [] };
export const EVER: Window = { when: "ever" };
const ONCE: Test = { op: "at_least", values: [1] };
const NEVER: Test = { op: "is", values: [0] };
export const LAST_90_DAYS: Window = { when: "last", span: { n: 90, unit: "days" } };

/** What one can begin a statement with, in the groups of the menu. */
export const BEGINNINGS = {
  known: ["stage", "rfm", "value", "churn", "next_order", "figure"],
  bought: ["bought", "not_bought", "spent", "first_order", "last_order"],
  did: ["did", "not_did", "measured"],
  mind: ["spends_on", "answered", "tag"],
  person: ["attribute", "near", "birthday", "consent", "identity"],
  course: ["entered", "left", "sequence"],
  whom: ["segment", "list", "share", "top"],
} as const;
export type Beginning = (typeof BEGINNINGS)[keyof typeof BEGINNINGS][number];

/** What of the brand's own words a statement can begin with; the first is the most frequent one. */
export interface Words {
  attributes: readonly { name: string; kind: Kind }[];
  identities: readonly { kind: string }[];
  consents: readonly { purpose: string; channel: string; state: string }[];
  facts: readonly { kind: string; name: string | null; properties: readonly { name: string }[] }[];
}

/** What answers to surveys are called, and their properties: which survey, how many points, what was chosen. */
export const SURVEYS = { name: "Survey Answered", which: "survey", answers: ["score", "answer"] } as const;
export type Answered = (typeof SURVEYS.answers)[number];

/** The surveys of which the statement is about the last answer; null where it says something else, or more. */
export function surveysOf(statement: Statement): readonly string[] | null {
  if (statement.node !== "measured" || statement.by !== "last" || statement.what.of !== "facts") return null;
  const [which, ...more] = statement.what.where;
  if (statement.what.name !== SURVEYS.name || which?.name !== SURVEYS.which || more.length > 0) return null;
  const asked = (SURVEYS.answers as readonly string[]).includes(statement.of) && which.test.op === "is";
  return asked ? which.test.values.filter((one) => typeof one === "string") : null;
}

/** The last answer to these surveys, of which nothing is said yet. */
export function answerTo(surveys: readonly string[], of: Answered): Extract<Statement, { node: "measured" }> {
  const which = { name: SURVEYS.which, test: { op: "is" as const, values: [...surveys] } };
  const test: Test = { op: of === "score" ? "at_least" : "is", values: [] };
  return {
    node: "measured",
    what: { of: "facts", name: SURVEYS.name, where: [which] },
    of,
    by: "last",
    window: EVER,
    test,
  };
}

/** The same seed would always be the same customers; a new share is to be others. */
export function begun(what: Beginning, words: Words, seed: string): Statement {
  const figure = (name: FigureName, op: Op, values: Test["values"] = []): Statement => ({
    node: "figure",
    name,
    test: { op, values },
  });
  const did = (what: What, times: Test, window: Window): Statement => ({ node: "did", what, times, window });
  const [attribute] = words.attributes;
  const fact: Facts = words.facts[0] ? { ...ANY_FACT, ...named(words.facts[0]) } : ANY_FACT;
  switch (what) {
    case "stage":
      return figure("stage", "is");
    case "rfm":
      return figure("rfm_group", "is");
    case "value":
      return figure("total_clv_minor", "at_least");
    case "churn":
      return figure("churn_probability", "at_least", [0.5]);
    case "next_order":
      return figure("expected_date_of_next_order", "next_days", [14]);
    case "figure":
      return figure("orders", "at_least", [2]);
    case "bought":
      return did(ANY_ORDER, ONCE, LAST_90_DAYS);
    case "not_bought":
      return did(ANY_ORDER, NEVER, LAST_90_DAYS);
    case "spent":
      return {
        node: "measured",
        what: ANY_ORDER,
        of: "amount_minor",
        by: "sum",
        window: LAST_90_DAYS,
        test: { op: "at_least", values: [] },
      };
    case "first_order":
      return did({ ...ANY_ORDER, which: "first" }, ONCE, EVER);
    case "last_order":
      return did({ ...ANY_ORDER, which: "last" }, ONCE, EVER);
    case "did":
      return did(fact, ONCE, LAST_90_DAYS);
    case "not_did":
      return did(fact, NEVER, LAST_90_DAYS);
    case "measured":
      return {
        node: "measured",
        what: fact,
        of: "day",
        by: "last",
        window: EVER,
        test: { op: "last_days", values: [30] },
      };
    case "spends_on":
      return {
        node: "measured",
        what: ANY_ORDER,
        of: "amount_minor",
        by: "share",
        window: { when: "last", span: { n: 12, unit: "months" } },
        test: { op: "at_least", values: [0.5] },
      };
    case "answered": {
      const answers = words.facts.filter((one) => one.name === SURVEYS.name).flatMap((one) => one.properties);
      const scored = answers.length === 0 || answers.some((one) => one.name === "score");
      return answerTo([], scored ? "score" : "answer");
    }
    case "attribute":
      return {
        node: "attribute",
        name: attribute?.name ?? "",
        test: { op: OPS[attribute?.kind ?? "text"][0] ?? "known", values: [] },
      };
    case "near":
      return { node: "near", stores: [], within: "city" };
    case "birthday":
      return { node: "attribute", name: "birth_date", test: { op: "anniversary", values: [7] } };
    case "tag":
      return { node: "tag", tag: "" };
    case "consent":
      return { node: "consent", ...(words.consents[0] ?? { purpose: "", channel: "", state: "" }) };
    case "identity":
      return { node: "identity", kind: words.identities[0]?.kind ?? "" };
    case "entered":
    case "left":
      return { node: "moved", change: what, stages: [], window: { when: "last", span: { n: 30, unit: "days" } } };
    case "sequence":
      return {
        node: "sequence",
        window: EVER,
        steps: [{ what: fact }, { what: ANY_ORDER, within: { n: 7, unit: "days" } }],
      };
    case "segment":
      return { node: "segment", segment_id: "" };
    case "list":
      return { node: "list", list_id: "" };
    case "share":
      return { node: "share", seed, since: 0, until: 50 };
    case "top":
      return { node: "top", by: "total_clv_minor", percent: 10, lowest: false };
  }
}

export function named({ kind, name }: { kind: string; name: string | null }): Pick<Facts, "kind" | "name"> {
  return name === null ? { kind } : { kind, name };
}

export type Measure = Schemas["Measured"]["by"];

/** What can be measured of what happened, and how, as the server has it. */
export function measuresOf(of: string, what: What): readonly Measure[] {
  if (of === "day") return ["last", "first", "least", "greatest"];
  const text = what.of === "orders" && ["product_id", "category", "brand"].includes(of);
  if (text) return ["distinct", "first", "last"];
  const spent = what.of === "orders" && Boolean(what.goods) && of === "amount_minor";
  return ["sum", "average", "least", "greatest", "first", "last", "distinct", ...(spent ? (["share"] as const) : [])];
}

/** What the figure is that a measure gives; a property of facts is what the brand's events say it is. */
export function kindOfMeasure(of: string, by: Measure, property: Kind): Kind {
  if (by === "distinct") return "number";
  if (of === "day") return "moment";
  return by === "first" || by === "last" ? property : "number";
}
