/** What happened: orders with their goods, places and amounts, or events with conditions on their properties. */
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox, Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";

import styles from "./Builder.module.css";
import { Field } from "./Parts";
import type { Of } from "./queries";
import { useSpeaking } from "./speaking";
import { ANY_FACT, ANY_ORDER, named, OPS, type Facts, type Kind, type Orders, type What } from "./statements";
import { TestForm } from "./TestForm";
import { Counted, Words } from "./Values";

interface Props {
  what: What;
  change: (what: What) => void;
}

export function WhatForm({ what, change }: Props) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  return (
    <>
      <Segmented
        block
        aria-label={t("part.orders_or_facts")}
        value={what.of}
        options={[
          { value: "orders", label: t("part.orders") },
          { value: "facts", label: t("part.facts") },
        ]}
        onChange={(of) => {
          const [first] = words.facts;
          change(of === "orders" ? ANY_ORDER : { ...ANY_FACT, ...(first ? named(first) : {}) });
        }}
      />
      {what.of === "orders" ? <OrdersForm what={what} change={change} /> : <FactsForm what={what} change={change} />}
    </>
  );
}

interface OrdersProps {
  what: Orders;
  change: (what: Orders) => void;
}

function OrdersForm(props: OrdersProps) {
  return (
    <>
      <WhichForm {...props} />
      <GoodsForm {...props} />
      <PlacesForm {...props} />
    </>
  );
}

/** A share is of some goods: these come first. */
export function SpendingForm(props: OrdersProps) {
  return (
    <>
      <GoodsForm {...props} />
      <WhichForm {...props} />
      <PlacesForm {...props} />
    </>
  );
}

function WhichForm({ what, change }: OrdersProps) {
  const { t } = useTranslation("segments");
  return (
    <Select<Orders["which"]>
      aria-label={t("part.which")}
      value={what.which}
      options={(["any", "first", "last"] as const).map((value) => ({ value, label: t(`which.${value}`) }))}
      onChange={(which) => {
        change({ ...what, which });
      }}
    />
  );
}

function GoodsForm({ what, change }: OrdersProps) {
  const { t } = useTranslation("segments");
  const goods = what.goods ?? { products: [], categories: [], brands: [] };
  const setGoods = (next: typeof goods) => {
    const some = next.products.length + next.categories.length + next.brands.length > 0;
    change({ ...what, goods: some ? next : null });
  };
  return (["categories", "products", "brands"] as const).map((name) => (
    <Field key={name} label={t(`part.${name}`)}>
      <Words
        label={t(`part.${name}`)}
        values={goods[name]}
        of={{ of: OF[name] }}
        change={(values) => {
          setGoods({ ...goods, [name]: values });
        }}
      />
    </Field>
  ));
}

/** Where the orders were, and how large. */
function PlacesForm({ what, change }: OrdersProps) {
  const { t } = useTranslation("segments");
  return (
    <>
      {(["channels", "stores"] as const).map((name) => (
        <Field key={name} label={t(`part.${name}`)}>
          <Words
            label={t(`part.${name}`)}
            values={what[name]}
            of={{ of: OF[name] }}
            change={(values) => {
              change({ ...what, [name]: values });
            }}
          />
        </Field>
      ))}
      {(["amount", "discount_share"] as const).map((name) => (
        <div key={name} className={styles.field}>
          <Checkbox
            checked={Boolean(what[name])}
            onChange={(event) => {
              change({ ...what, [name]: event.target.checked ? { op: "at_least", values: [] } : null });
            }}
          >
            {t(`part.${name}`)}
          </Checkbox>
          {what[name] && (
            <TestForm
              test={what[name]}
              kind="number"
              name={name === "amount" ? "amount_minor" : name}
              change={(test) => {
                change({ ...what, [name]: test });
              }}
            />
          )}
        </div>
      ))}
    </>
  );
}

const OF = {
  products: "product",
  categories: "category",
  brands: "brand",
  channels: "channel",
  stores: "store",
} as const;

/** Kind and name in one value of a list. */
function keyOf(kind: string | null | undefined, name: string | null | undefined): string {
  return `${kind ?? ""}\n${name ?? ""}`;
}

function FactsForm({ what, change }: { what: Facts; change: (what: Facts) => void }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { words, wording } = useSpeaking();
  const properties = useProperties(what);
  const known = words.facts.map(({ kind, name, times }) => ({
    value: keyOf(kind, name),
    label: wording.fact(kind, name),
    times,
  }));
  const chosen = keyOf(what.kind, what.name);
  const own = known.some((one) => one.value === chosen)
    ? []
    : [{ value: chosen, label: wording.fact(what.kind, what.name), times: null }];
  const any = { value: keyOf(null, null), label: t("part.any_fact"), times: null };
  return (
    <>
      <Field label={t("part.fact")}>
        <Select
          aria-label={t("part.fact")}
          showSearch={{ optionFilterProp: "label" }}
          value={chosen}
          options={[...(chosen === any.value ? [] : [any]), ...own, ...known]}
          optionRender={({ data }) => <Counted label={data.label} times={data.times} say={say.number} />}
          onChange={(value) => {
            const [kind = "", name = ""] = value.split("\n");
            change({ ...ANY_FACT, ...(kind ? { kind } : {}), ...(name ? { name } : {}) });
          }}
        />
      </Field>
      {what.where.length > 0 && <span className={styles.small}>{t("part.where")}</span>}
      {what.where.map((one, at) => {
        const kind = properties.find((property) => property.name === one.name)?.kind ?? "text";
        const replace = (next: typeof one) => {
          change({ ...what, where: what.where.map((other, place) => (place === at ? next : other)) });
        };
        const of: Of = { of: "property", name: one.name, ...factOf(what) };
        return (
          <div key={at} className={styles.where}>
            <div className={styles.pair}>
              <Select
                aria-label={t("part.property")}
                showSearch={{ optionFilterProp: "label" }}
                value={one.name || null}
                placeholder={t("builder.choose")}
                options={properties.map(({ name }) => ({ value: name, label: wording.property(name) }))}
                onChange={(name: string) => {
                  const next = properties.find((property) => property.name === name)?.kind ?? "text";
                  replace({ name, test: { op: OPS[next][0] ?? "known", values: [] } });
                }}
              />
              <Button
                type="text"
                icon={<DeleteOutlined />}
                aria-label={t("part.remove_where", { name: wording.property(one.name) })}
                onClick={() => {
                  change({ ...what, where: what.where.filter((_, place) => place !== at) });
                }}
              />
            </div>
            <TestForm
              test={one.test}
              kind={kind}
              name={one.name}
              of={of}
              change={(test) => {
                replace({ ...one, test });
              }}
            />
          </div>
        );
      })}
      <Button
        type="link"
        size="small"
        icon={<PlusOutlined />}
        className={styles.begin ?? ""}
        onClick={() => {
          const [first] = properties;
          const test = { op: OPS[first?.kind ?? "text"][0] ?? ("known" as const), values: [] };
          change({ ...what, where: [...what.where, { name: first?.name ?? "", test }] });
        }}
      >
        {t("part.add_where")}
      </Button>
    </>
  );
}

function factOf({ kind, name }: Facts): Pick<Of, "fact_kind" | "fact_name"> {
  return { ...(kind ? { fact_kind: kind } : {}), ...(name ? { fact_name: name } : {}) };
}

/** What can be asked of these facts: their properties, and what every fact has. */
export function useProperties(what: Facts): { name: string; kind: Kind }[] {
  const { words } = useSpeaking();
  const found = words.facts.find(
    (one) => (one.name ?? null) === (what.name ?? null) && (what.kind ? one.kind === what.kind : Boolean(what.name)),
  );
  // Days and moments of properties are texts.
  const own = (found?.properties ?? []).map(({ name, kind }) => ({
    name,
    kind: kind === "number" || kind === "truth" ? kind : ("text" as const),
  }));
  const common: { name: string; kind: Kind }[] = [
    { name: "channel", kind: "text" },
    { name: "store", kind: "text" },
    { name: "session", kind: "text" },
    { name: "amount_minor", kind: "number" },
  ];
  return [...own, ...common.filter((one) => own.every((other) => other.name !== one.name))];
}
