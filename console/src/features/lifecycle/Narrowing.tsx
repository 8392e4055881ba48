/** What the analytical pages are narrowed by: days, channel, store, currency; all of it is in the address. */
import { Button, DatePicker, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useTranslation } from "react-i18next";

import { useMay } from "@/features/access/session";
import { useChannels, useStores } from "@/features/catalog/queries";

import styles from "./Analysis.module.css";
import { narrowedOf, WHOLE, type Narrowed } from "./views";

interface Props {
  narrowed: Narrowed;
  /** What the days are of. */
  days: string;
  /** The last of them alone is asked for: how things were at its end. */
  oneDay?: boolean;
  currencies: readonly string[];
  change: (change: Partial<Narrowed>) => void;
}

export function Narrowing({ narrowed, days, oneDay = false, currencies, change }: Props) {
  const { t } = useTranslation("lifecycle");
  const may = useMay();
  const some = Object.values(narrowedOf(narrowed)).some((value) => value !== null);
  return (
    <section className={styles.narrowing} aria-label={t("analysis.narrowing")}>
      <div className={styles.field}>
        <span aria-hidden="true">{days}</span>
        {oneDay ? (
          <DatePicker
            aria-label={days}
            placeholder={t("known.last")}
            value={narrowed.until ? dayjs(narrowed.until) : null}
            onChange={(day) => {
              change({ since: null, until: dayText(day) });
            }}
          />
        ) : (
          <DatePicker.RangePicker
            allowEmpty
            aria-label={days}
            value={[narrowed.since ? dayjs(narrowed.since) : null, narrowed.until ? dayjs(narrowed.until) : null]}
            onChange={(range) => {
              const [since, until] = range ?? [null, null];
              change({ since: dayText(since), until: dayText(until) });
            }}
          />
        )}
      </div>
      {may("catalog.read") && <Places narrowed={narrowed} change={change} />}
      {(currencies.length > 1 || narrowed.currency) && (
        <Choice
          label={t("analysis.currency")}
          value={narrowed.currency}
          options={currencies.map((one) => ({ value: one, label: one }))}
          change={(currency) => {
            change({ currency });
          }}
        />
      )}
      {some && (
        <Button
          onClick={() => {
            change(WHOLE);
          }}
        >
          {t("customers.clear")}
        </Button>
      )}
    </section>
  );
}

function dayText(day: Dayjs | null): string | null {
  return day?.format("YYYY-MM-DD") ?? null;
}

function Places({ narrowed, change }: Pick<Props, "narrowed" | "change">) {
  const { t } = useTranslation("lifecycle");
  const channels = useChannels();
  const stores = useStores();
  const ofChannels = channels.data?.pages.flatMap((page) => page.items) ?? [];
  const ofStores = stores.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <Choice
        label={t("analysis.channel")}
        value={narrowed.channel}
        options={ofChannels.map((one) => ({ value: one.channel, label: one.name ?? one.channel }))}
        change={(channel) => {
          change({ channel });
        }}
      />
      <Choice
        label={t("analysis.store")}
        value={narrowed.store}
        options={ofStores.map((one) => ({ value: one.store_id, label: one.name ?? one.store_id }))}
        change={(store) => {
          change({ store });
        }}
      />
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string | null;
  options: { value: string; label: string }[];
  change: (value: string | null) => void;
}

function Choice({ label, value, options, change }: ChoiceProps) {
  const { t } = useTranslation("lifecycle");
  return (
    <div className={styles.field}>
      <span aria-hidden="true">{label}</span>
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        aria-label={label}
        placeholder={t("analysis.all")}
        value={value}
        options={options}
        onChange={(chosen: string | undefined) => {
          change(chosen ?? null);
        }}
      />
    </div>
  );
}
