/** Values to compare with: words with suggestions from what there is, numbers, days, yes or no. */
import { DatePicker, InputNumber, Select } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { minorDigits } from "@/base/saying";
import { useLater } from "@/base/useLater";
import { useSaying } from "@/base/useSaying";

import styles from "./Builder.module.css";
import { useSuggestions, type Of } from "./queries";
import { useSpeaking } from "./speaking";
import { formatOf, type Format } from "./wording";

const ASK_AFTER_MS = 250;

export interface Option {
  value: string;
  label: string;
  times?: number | null;
}

interface WordsProps {
  label: string;
  values: readonly string[];
  change: (values: string[]) => void;
  /** What to suggest; left out where all values there are stand in the options. */
  of?: Of | null;
  options?: readonly Option[];
}

/** Words, of which some are suggested with how often they are found; others can be typed. */
export function Words({ label, values, change, of = null, options = [] }: WordsProps) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { wording } = useSpeaking();
  const [typed, setTyped] = useState("");
  const begins = useLater(typed.trim(), ASK_AFTER_MS);
  const suggested = useSuggestions(of, begins);
  const name = of?.name ?? of?.of ?? "";
  const offered: Option[] = of
    ? (suggested.data?.items ?? []).map(({ value, label: said, times }) => ({
        value,
        label: said === value ? wording.value(value, name) : said,
        times,
      }))
    : [...options];
  const known = new Map(offered.map((one) => [one.value, one]));
  const rest = values.filter((one) => !known.has(one)).map((value) => ({ value, label: wording.value(value, name) }));
  return (
    <Select
      mode={of ? "tags" : "multiple"}
      aria-label={label}
      placeholder={t("builder.choose")}
      className={styles.wide ?? ""}
      value={[...values]}
      loading={suggested.isFetching}
      // What is asked for has been chosen by the server; the rest is found by what it is called.
      showSearch={{
        filterOption: of ? false : (text, option) => (option?.label ?? "").toLowerCase().includes(text.toLowerCase()),
        onSearch: setTyped,
      }}
      options={[...offered, ...rest]}
      optionRender={({ data }) => <Counted label={data.label} times={(data as Option).times} say={say.number} />}
      onChange={(chosen: string[]) => {
        setTyped("");
        change(chosen.map((one) => one.trim()).filter((one) => one !== ""));
      }}
    />
  );
}

export function Counted({
  label,
  times,
  say,
}: {
  label: string;
  times?: number | null | undefined;
  say: (value: number) => string;
}) {
  return (
    <span className={styles.counted}>
      <span>{label}</span>
      {times != null && <small>{say(times)}</small>}
    </span>
  );
}

interface NumberProps {
  label: string;
  name: string;
  value: number | null;
  change: (value: number | null) => void;
}

/** A number as people write it: money in whole units, shares of a hundred. */
export function Amount({ label, name, value, change }: NumberProps) {
  const { currency } = useSpeaking();
  const format = formatOf(name);
  const unit = unitOf(format, currency);
  const symbol = format === "money" && currency ? { prefix: symbolOf(currency) } : {};
  return (
    <InputNumber
      aria-label={label}
      className={styles.wide ?? ""}
      value={value === null ? null : round(value / unit)}
      {...symbol}
      {...(format === "share" ? { suffix: "%" } : {})}
      onChange={(given) => {
        change(given === null ? null : round(given * unit));
      }}
    />
  );
}

/** Numbers of which any will do. */
export function Amounts({
  label,
  name,
  values,
  change,
}: {
  label: string;
  name: string;
  values: readonly number[];
  change: (values: number[]) => void;
}) {
  const { t } = useTranslation("segments");
  const { currency } = useSpeaking();
  const unit = unitOf(formatOf(name), currency);
  const scores = ["r_score", "f_score", "m_score"].includes(name) ? [1, 2, 3, 4, 5] : [];
  return (
    <Select
      mode="tags"
      aria-label={label}
      placeholder={t("builder.choose")}
      className={styles.wide ?? ""}
      value={values.map((one) => String(round(one / unit)))}
      options={scores.map((one) => ({ value: String(one), label: String(one) }))}
      onChange={(chosen: string[]) => {
        change(chosen.map((one) => round(Number(one) * unit)).filter(Number.isFinite));
      }}
    />
  );
}

function unitOf(format: Format, currency: string | null): number {
  if (format === "money") return currency ? 10 ** minorDigits(currency) : 1;
  return format === "share" ? 0.01 : 1;
}

/** What dividing and multiplying leaves behind the digits that somebody typed. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}

function symbolOf(currency: string): string {
  const parts = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return parts.formatToParts(0).find((one) => one.type === "currency")?.value ?? currency;
}

interface DayProps {
  label: string;
  value: string | null;
  change: (day: string | null) => void;
}

export function Day({ label, value, change }: DayProps) {
  return (
    <DatePicker
      aria-label={label}
      placeholder={label}
      className={styles.wide ?? ""}
      value={value ? dayjs(value) : null}
      onChange={(day) => {
        change(day ? day.format("YYYY-MM-DD") : null);
      }}
    />
  );
}
