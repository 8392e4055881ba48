/** What a list of customers is narrowed by, one mark each, which can be taken away. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";

import styles from "./Analysis.module.css";
import { OUTSIDE } from "./marks";
import { useSegmentName } from "./queries";
import { EVERYBODY, type Wanted } from "./wanted";

interface Props {
  wanted: Wanted;
  currency: string | null;
  want: (change: Partial<Wanted>) => void;
}

interface Condition {
  key: string;
  text: string;
  without: Partial<Wanted>;
}

export function Conditions({ wanted, currency, want }: Props) {
  const { t } = useTranslation("lifecycle");
  const found = useConditions(wanted, currency);
  if (found.length === 0) return null;
  return (
    <ul className={styles.chips} aria-label={t("conditions.title")}>
      {found.map(({ key, text, without }) => (
        <li key={key}>
          <Tag
            className={styles.chip ?? ""}
            closable={{ "aria-label": t("conditions.without", { condition: text }) }}
            onClose={(event) => {
              event.preventDefault();
              want(without);
            }}
          >
            {text}
          </Tag>
        </li>
      ))}
    </ul>
  );
}

function useConditions(wanted: Wanted, currency: string | null): Condition[] {
  const { t } = useTranslation("lifecycle");
  const segment = useSegmentName(wanted.segment);
  const names = useNames();
  const say = useSaying();
  const found: Condition[] = [];
  const add = (key: keyof Wanted, text: string, more: Partial<Wanted> = {}) => {
    found.push({ key, text, without: { [key]: EVERYBODY[key], ...more } });
  };
  const words = (key: "stages" | "rfm_groups" | "value_groups" | "tags" | "channels" | "stores", group?: string) => {
    if (wanted[key].length === 0) return;
    const said = wanted[key].map((word) => (group ? names(group, word) : word));
    add(key, t(`conditions.${key}`, { words: list(said, say.language) }));
  };
  const span = <Bound,>(from: Bound | null, to: Bound | null, tell: (value: Bound) => string) => {
    if (from === null) return to === null ? null : t("conditions.until", { to: tell(to) });
    if (to === null) return t("conditions.since", { from: tell(from) });
    return from === to ? tell(from) : t("conditions.between", { from: tell(from), to: tell(to) });
  };
  const between = (
    low: "value_min_minor" | "orders_min" | "first_order_from" | "last_order_from",
    high: "value_max_minor" | "orders_max" | "first_order_to" | "last_order_to",
    name: "value" | "orders" | "first_order" | "last_order",
    tell: (value: number | string) => string,
  ) => {
    const said = span<number | string>(wanted[low], wanted[high], tell);
    if (said) add(low, t(`conditions.${name}`, { span: said }), { [high]: null });
  };

  if (wanted.segment !== null)
    add("segment", segment ? t("conditions.segment", { name: segment }) : t("conditions.a_segment"));
  words("stages", "stages");
  for (const [at, stood] of wanted.stood.entries()) {
    const parts: string[] = [];
    if (stood.stages.length > 0) {
      const words = stood.stages.map((stage) => (stage === OUTSIDE ? t("conditions.outside") : names("stages", stage)));
      parts.push(list(words, say.language));
    }
    for (const score of ["r_scores", "f_scores"] as const) {
      const given = stood[score] ?? [];
      if (given.length > 0) parts.push(t(`conditions.${score}`, { words: list(given.map(String), say.language) }));
    }
    const brought = span(stood.value_min_minor ?? null, stood.value_max_minor ?? null, (minor) =>
      say.money(minor, currency),
    );
    if (brought) parts.push(t("conditions.brought", { span: brought }));
    found.push({
      key: `stood${at}`,
      text: t("conditions.stood", { words: parts.join(" · "), day: say.day(stood.at) }),
      without: { stood: wanted.stood.filter((_, other) => other !== at) },
    });
  }
  words("rfm_groups", "rfm_groups");
  for (const score of ["r_scores", "f_scores", "m_scores"] as const) {
    if (wanted[score].length > 0)
      add(score, t(`conditions.${score}`, { words: list(wanted[score].map(String), say.language) }));
  }
  words("value_groups", "value_groups");
  between("value_min_minor", "value_max_minor", "value", (minor) => say.money(Number(minor), currency));
  between("orders_min", "orders_max", "orders", (value) => say.number(Number(value)));
  if (wanted.order_days_min !== null)
    add("order_days_min", t("conditions.order_days_min", { count: wanted.order_days_min }));
  if (wanted.ordered_on) {
    const { min, max, until } = wanted.ordered_on;
    const days = span(min, max, (number) => say.number(number)) ?? "";
    add("ordered_on", t("conditions.ordered_on", { days, day: say.day(until) }));
  }
  if (wanted.came_back_within_days !== null)
    add("came_back_within_days", t("conditions.came_back", { count: wanted.came_back_within_days }));
  if (wanted.churn_min !== null) add("churn_min", t("conditions.churn_min", { share: say.share(wanted.churn_min, 0) }));
  between("first_order_from", "first_order_to", "first_order", (day) => say.day(String(day)));
  between("last_order_from", "last_order_to", "last_order", (day) => say.day(String(day)));
  words("channels", "channels");
  if (wanted.no_channel) add("no_channel", t("conditions.no_channel"));
  words("stores");
  words("tags");
  if (wanted.first_products.length > 0)
    add("first_products", t("conditions.first_products", { words: list(wanted.first_products, say.language) }));
  const order = orderWanted(wanted, { t, say, names });
  if (order) {
    found.push({
      key: "bought",
      text: order,
      without: {
        bought: [],
        together: false,
        bought_categories: [],
        no_category: false,
        ordered_channels: [],
        ordered_stores: [],
        ordered_from: null,
        ordered_to: null,
      },
    });
  }
  return found;
}

interface Speaking {
  t: ReturnType<typeof useTranslation<"lifecycle">>["t"];
  say: ReturnType<typeof useSaying>;
  names: ReturnType<typeof useNames>;
}

/** The order that they have to have, in one piece: its days, goods and place belong together. */
function orderWanted(wanted: Wanted, { t, say, names }: Speaking): string | null {
  const parts: string[] = [];
  const goods = [...wanted.bought, ...wanted.bought_categories];
  if (goods.length > 0) {
    const said = wanted.together ? goods.join(" + ") : list(goods, say.language);
    parts.push(t("conditions.bought", { words: said }));
  }
  if (wanted.no_category) parts.push(t("conditions.no_category"));
  const { ordered_from: from, ordered_to: to } = wanted;
  if (from && to) parts.push(t("conditions.between", { from: say.day(from), to: say.day(to) }));
  else if (from) parts.push(t("conditions.since", { from: say.day(from) }));
  else if (to) parts.push(t("conditions.until", { to: say.day(to) }));
  const places = [...wanted.ordered_channels.map((channel) => names("channels", channel)), ...wanted.ordered_stores];
  if (places.length > 0) parts.push(list(places, say.language));
  return parts.length === 0 ? null : t("conditions.ordered", { what: parts.join(" · ") });
}

function list(words: readonly string[], language: string): string {
  return new Intl.ListFormat(language, { type: "disjunction" }).format(words);
}
