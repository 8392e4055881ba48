/** Which customers are wanted, as fields. */
import { Button, DatePicker, InputNumber, Select } from "antd";
import dayjs from "dayjs";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { RFM_GROUPS } from "@/base/rfm";
import { minorDigits } from "@/base/saying";
import { STAGES } from "@/base/stages";
import { useNames } from "@/base/useSaying";

import styles from "./CustomersPage.module.css";
import { addressOf, EVERYBODY, type Wanted } from "./wanted";

interface Props {
  wanted: Wanted;
  currency: string | null;
  want: (change: Partial<Wanted>) => void;
}

export function Filters({ wanted, currency, want }: Props) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const unit = currency ? 10 ** minorDigits(currency) : 1;
  const major = (minor: number | null) => (minor === null ? null : minor / unit);
  const minor = (value: number | null) => (value === null ? null : Math.round(value * unit));
  const untouched = addressOf({ ...wanted, sort: EVERYBODY.sort, descending: true }).toString() === "";
  return (
    <section className={styles.filters} aria-label={t("customers.filters")}>
      <Field label={t("columns.stage")}>
        <Select
          mode="multiple"
          allowClear
          aria-label={t("columns.stage")}
          placeholder={t("filters.any")}
          value={wanted.stages}
          options={STAGES.filter((stage) => stage !== "prospect").map((stage) => ({
            value: stage,
            label: names("stages", stage),
          }))}
          onChange={(stages) => {
            want({ stages });
          }}
        />
      </Field>
      <Field label="RFM">
        <Select
          mode="multiple"
          allowClear
          aria-label="RFM"
          placeholder={t("filters.any")}
          value={wanted.rfm_groups}
          options={RFM_GROUPS.map((group) => ({ value: group, label: names("rfm_groups", group) }))}
          onChange={(rfm_groups) => {
            want({ rfm_groups });
          }}
        />
      </Field>
      <Field label={t("columns.tags")}>
        <Select
          mode="tags"
          allowClear
          aria-label={t("columns.tags")}
          placeholder={t("filters.any")}
          value={wanted.tags}
          onChange={(tags) => {
            want({ tags });
          }}
        />
      </Field>
      <Field label={t("columns.value")}>
        <Between
          name={t("columns.value")}
          low={major(wanted.value_min_minor)}
          high={major(wanted.value_max_minor)}
          change={(low, high) => {
            want({ value_min_minor: minor(low), value_max_minor: minor(high) });
          }}
        />
      </Field>
      <Field label={t("columns.orders")}>
        <Between
          name={t("columns.orders")}
          low={wanted.orders_min}
          high={wanted.orders_max}
          change={(low, high) => {
            want({ orders_min: low && Math.round(low), orders_max: high && Math.round(high) });
          }}
        />
      </Field>
      <Field label={t("filters.churn_min")}>
        <InputNumber
          aria-label={t("filters.churn_min")}
          min={0}
          max={100}
          suffix="%"
          placeholder={t("filters.any")}
          value={wanted.churn_min === null ? null : Math.round(wanted.churn_min * 100)}
          onChange={(value) => {
            want({ churn_min: value === null ? null : value / 100 });
          }}
        />
      </Field>
      <Field label={t("columns.last_order")}>
        <DatePicker.RangePicker
          allowEmpty
          aria-label={t("columns.last_order")}
          value={[day(wanted.last_order_from), day(wanted.last_order_to)]}
          onChange={(range) => {
            const [from, to] = range ?? [null, null];
            want({
              last_order_from: from?.format("YYYY-MM-DD") ?? null,
              last_order_to: to?.format("YYYY-MM-DD") ?? null,
            });
          }}
        />
      </Field>
      <Button
        disabled={untouched}
        onClick={() => {
          want(EVERYBODY);
        }}
      >
        {t("customers.clear")}
      </Button>
    </section>
  );
}

function day(text: string | null) {
  return text ? dayjs(text) : null;
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <span aria-hidden="true">{label}</span>
      {children}
    </div>
  );
}

interface BetweenProps {
  name: string;
  low: number | null;
  high: number | null;
  change: (low: number | null, high: number | null) => void;
}

function Between({ name, low, high, change }: BetweenProps) {
  const { t } = useTranslation("lifecycle");
  return (
    <span className={styles.between}>
      <InputNumber
        min={0}
        value={low}
        placeholder={t("filters.from")}
        aria-label={`${name}: ${t("filters.from")}`}
        onChange={(value) => {
          change(value, high);
        }}
      />
      –
      <InputNumber
        min={0}
        value={high}
        placeholder={t("filters.to")}
        aria-label={`${name}: ${t("filters.to")}`}
        onChange={(value) => {
          change(low, value);
        }}
      />
    </span>
  );
}
