/** What the files are, which column is what, and a try before anything is brought in. */
import { Button, Form, Input, Segmented, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";

import { brandZone } from "@/base/page";
import { useNames } from "@/base/useSaying";
import { useBrand } from "@/features/catalog/queries";
import { answer, api } from "@/platform/client";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { Panel } from "@/shell/Page";

import { ImportedJob } from "./Imported";
import {
  bodyOf,
  guessOf,
  IDENTITIES,
  KINDS,
  lacking,
  recall,
  remember,
  type Decided,
  type Kind,
  type Preview,
} from "./imports";
import styles from "./ImportPage.module.css";

const CURRENCIES = ["CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "SGD", "KRW", "AUD"];
// What most files have; the others are offered where a file has them, or when one asks.
const USUAL: Record<Kind, readonly string[]> = {
  orders: ["customer", "order", "time", "amount", "quantity", "price", "product", "product_name", "channel", "store"],
  customers: ["phone", "email", "member_number", "name", "gender", "birth_date", "city"],
  products: ["product", "product_name", "category", "brand", "price", "unit_cost"],
  costs: ["channel", "period", "spend"],
  events: ["timestamp", "event", "anonymousId", "user_id", "phone"],
};

interface Props {
  /** Of these files, for whoever comes back to them. */
  name: string;
  files: string[];
  previews: readonly Preview[];
}

export function Looked({ name, files, previews }: Props) {
  const { t } = useTranslation("collect");
  const { attempt } = useDoing();
  const navigate = useNavigate();
  const [address, setAddress] = useSearchParams();
  const [first] = previews;
  const brand = useBrand();
  const [chosen, setDecided] = useState<Decided>(() => recall(name) ?? begin(first));
  // The brand's own, until another is chosen.
  const decided = { ...chosen, currency: chosen.currency ?? brand.data?.currency ?? null };
  const [busy, setBusy] = useState(false);
  if (!first) return null;
  const guess = guessOf(first, decided.kind);
  const lacks = lacking(decided, guess);
  const tried = address.get("try");
  const set = (change: Partial<Decided>) => {
    const next = { ...decided, ...change };
    setDecided(next);
    remember(name, next);
    // What was tried was something else.
    if (tried) setAddress({ looked: name }, { replace: true });
  };
  const ask = (dryRun: boolean) => {
    setBusy(true);
    void attempt(async () => {
      const { job_id: job } = await answer(api.POST("/api/imports", { body: bodyOf(decided, files, dryRun) }));
      if (dryRun) setAddress({ looked: name, try: job }, { replace: true });
      else await navigate(`/data/imports/${job}`);
    }).finally(() => {
      setBusy(false);
    });
  };
  return (
    <>
      <Panel title={t("import.files")}>
        <ul className={styles.files}>
          {previews.map((one, at) => (
            <li key={files[at]}>
              <strong>{one.name}</strong> <Make preview={one} />
            </li>
          ))}
        </ul>
        <Form layout="vertical">
          <Form.Item label={t("import.kind")}>
            <Segmented
              className={styles.kinds ?? ""}
              aria-label={t("import.kind")}
              value={decided.kind}
              options={KINDS.map((kind) => ({ value: kind, label: t(`import.kinds.${kind}`) }))}
              onChange={(kind) => {
                set({ kind, mapping: { ...guessOf(first, kind).mapping } });
              }}
            />
          </Form.Item>
          <Details decided={decided} set={set} hasCurrency={"currency" in decided.mapping} />
        </Form>
      </Panel>
      {first.format !== "jsonl" && <Columns preview={first} decided={decided} set={set} lacks={lacks} />}
      <Rows preview={first} decided={decided} />
      <Panel>
        <div className={styles.go}>
          <Button
            type={tried ? "default" : "primary"}
            disabled={lacks.length > 0}
            loading={busy}
            onClick={() => {
              ask(true);
            }}
          >
            {t("import.try")}
          </Button>
          <span>
            {lacks.length > 0
              ? t("import.lacks", { fields: lacks.map((field) => t(fieldKey(field))).join(t("import.comma")) })
              : t("import.try_about")}
          </span>
        </div>
      </Panel>
      {tried && (
        <ImportedJob
          id={tried}
          go={
            <Button
              type="primary"
              loading={busy}
              onClick={() => {
                ask(false);
              }}
            >
              {t("import.do")}
            </Button>
          }
        />
      )}
    </>
  );
}

function begin(preview: Preview | undefined): Decided {
  const kind = preview?.kind ?? "orders";
  return {
    kind,
    mapping: preview ? { ...guessOf(preview, kind).mapping } : {},
    currency: null,
    timezone: brandZone,
    source: "files",
    identityKind: null,
  };
}

/** How a file is written: encoding and what divides it, or its sheet. */
function Make({ preview }: { preview: Preview }) {
  const { t } = useTranslation("collect");
  const told = [
    preview.format.toUpperCase(),
    preview.encoding?.toUpperCase(),
    preview.delimiter && t("import.divided", { by: preview.delimiter === "\t" ? "Tab" : preview.delimiter }),
    preview.sheet && t("import.sheet", { name: preview.sheet }),
    preview.other_sheets && t("import.other_sheets", { names: preview.other_sheets }),
  ];
  return <span className={styles.hint}>{told.filter(Boolean).join(" · ")}</span>;
}

interface PartProps {
  decided: Decided;
  set: (change: Partial<Decided>) => void;
}

function Details({ decided, set, hasCurrency }: PartProps & { hasCurrency: boolean }) {
  const { t } = useTranslation("collect");
  const names = useNames();
  const { kind } = decided;
  return (
    <div className={styles.details}>
      {kind !== "customers" && kind !== "events" && !hasCurrency && (
        <Form.Item label={t("import.currency")} htmlFor="currency">
          <Select
            id="currency"
            showSearch
            allowClear
            placeholder={t("import.currency_choose")}
            value={decided.currency}
            options={CURRENCIES.map((value) => ({ value, label: value }))}
            onChange={(currency: string | null) => {
              set({ currency: currency ?? null });
            }}
          />
        </Form.Item>
      )}
      {(kind === "orders" || kind === "events") && (
        <>
          <Form.Item label={t("import.timezone")} htmlFor="timezone" extra={t("import.timezone_what")}>
            <Select
              id="timezone"
              showSearch
              value={decided.timezone}
              options={Intl.supportedValuesOf("timeZone").map((value) => ({ value, label: value }))}
              onChange={(timezone: string) => {
                set({ timezone });
              }}
            />
          </Form.Item>
          <Form.Item label={t("import.source")} htmlFor="source" extra={t("import.source_what")}>
            <Input
              id="source"
              maxLength={100}
              value={decided.source}
              onChange={({ target }) => {
                set({ source: target.value || "files" });
              }}
            />
          </Form.Item>
        </>
      )}
      {kind === "orders" && (
        <Form.Item label={t("import.identity")} htmlFor="identity" extra={t("import.identity_what")}>
          <Select
            id="identity"
            allowClear
            placeholder={t("import.identity_guess")}
            value={decided.identityKind}
            options={IDENTITIES.slice(0, -1).map((value) => ({ value, label: names("identities", value) }))}
            onChange={(identityKind: string | null) => {
              set({ identityKind: identityKind ?? null });
            }}
          />
        </Form.Item>
      )}
    </div>
  );
}

interface ColumnsProps extends PartProps {
  preview: Preview;
  lacks: readonly string[];
}

function Columns({ preview, decided, set, lacks }: ColumnsProps) {
  const { t } = useTranslation(["collect", "shell"]);
  const names = useNames();
  const [all, setAll] = useState(false);
  const { kind, mapping } = decided;
  const known = preview.fields[kind] ?? [];
  const shown = all ? known : known.filter((field) => field in mapping || USUAL[kind].includes(field));
  const samples = new Map(preview.columns.map((one) => [one.name, one.samples.join(" · ")]));
  const options = preview.columns.map((one) => ({ value: one.name, label: one.name }));
  const called = (field: string) => {
    if (kind !== "customers") return t(fieldKey(field), { defaultValue: names("identities", field) });
    const identity = names("identities", field);
    return identity === field ? names("attributes", field) : identity;
  };
  return (
    <Panel title={t("import.columns")} about={t(kind === "costs" ? "import.columns_costs" : "import.columns_about")}>
      <div className={styles.mapping}>
        {shown.map((field) => (
          <div key={field} className={styles.field}>
            <label htmlFor={`field-${field}`}>
              {called(field)}
              {lacks.includes(field) && <em>{t("import.needed")}</em>}
            </label>
            <Select
              id={`field-${field}`}
              showSearch
              disabled={kind === "costs"}
              status={lacks.includes(field) ? "error" : ""}
              placeholder={t("import.no_column")}
              value={mapping[field] ?? null}
              options={options}
              onChange={(column: string) => {
                set({ mapping: { ...mapping, [field]: column } });
              }}
            />
            <small>{samples.get(mapping[field] ?? "") ?? "\u00a0"}</small>
          </div>
        ))}
      </div>
      {shown.length < known.length && (
        <Button
          type="link"
          onClick={() => {
            setAll(true);
          }}
        >
          {t("import.more_fields")}
        </Button>
      )}
    </Panel>
  );
}

const ROWS_FIRST = 5;

function Rows({ preview, decided }: { preview: Preview; decided: Decided }) {
  const { t } = useTranslation("collect");
  const [all, setAll] = useState(false);
  const means = new Map(Object.entries(decided.mapping).map(([field, column]) => [column, field]));
  return (
    <Panel title={t("import.rows")}>
      <Grid
        label={t("import.rows")}
        size="small"
        rowKey="key"
        dataSource={preview.rows.slice(0, all ? undefined : ROWS_FIRST).map((cells, key) => ({ key, cells }))}
        columns={preview.columns.map((column, at) => {
          const field = means.get(column.name);
          return {
            key: at,
            title: (
              <span>
                {column.name}
                {field && <small className={styles.means}>{t(fieldKey(field), { defaultValue: field })}</small>}
              </span>
            ),
            render: (_: unknown, row: { cells: readonly (string | null)[] }) => row.cells[at] ?? "",
          };
        })}
      />
      {!all && preview.rows.length > ROWS_FIRST && (
        <Button
          type="link"
          onClick={() => {
            setAll(true);
          }}
        >
          {t("import.more_rows", { count: preview.rows.length })}
        </Button>
      )}
    </Panel>
  );
}

function fieldKey(field: string): "import.fields.customer" {
  // Which fields there are, the server says; the catalogue has a text for each.
  return `import.fields.${field}` as "import.fields.customer";
}
