/** What is known of a customer, each value changed where it stands. */
import { EditOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, DatePicker, Input, InputNumber, Select } from "antd";
import dayjs from "dayjs";
import { useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import styles from "./Customer.module.css";
import { useDefinitions, useSetAttribute, type AttributeDefinition, type Value } from "./queries";

interface Props {
  customer: string;
  values: Readonly<Record<string, Value | null>>;
  /** Whether values may be changed here. */
  writes: boolean;
}

export function Attributes({ customer, values, writes }: Props) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const definitions = useDefinitions().data ?? [];
  const [adding, setAdding] = useState<string | null>(null);
  const known = new Map(definitions.map((one) => [one.name, one]));
  const shown = Object.keys(values).sort((a, b) => order(known, a) - order(known, b) || a.localeCompare(b));
  const left = definitions.filter((one) => !(one.name in values));

  return (
    <Panel
      title={t("attributes.title")}
      actions={
        writes &&
        left.length > 0 && (
          <Select
            size="small"
            className={styles.adder ?? ""}
            aria-label={t("attributes.add")}
            placeholder={t("attributes.add")}
            prefix={<PlusOutlined />}
            value={null}
            showSearch={{ optionFilterProp: "label" }}
            options={left.map((one) => ({ value: one.name, label: names("attributes", one.name) }))}
            onChange={(name: string) => {
              setAdding(name);
            }}
          />
        )
      }
    >
      {shown.length === 0 && !adding && <Empty title={t("attributes.none")}>{t("attributes.none_how")}</Empty>}
      <dl className={styles.pairs}>
        {shown.map((name) => (
          <Attribute
            key={name}
            customer={customer}
            name={name}
            value={values[name] ?? null}
            writes={writes}
            definition={known.get(name)}
          />
        ))}
        {adding && !(adding in values) && (
          <Attribute
            key={adding}
            customer={customer}
            name={adding}
            value={null}
            writes={writes}
            definition={known.get(adding)}
            onEnd={() => {
              setAdding(null);
            }}
          />
        )}
      </dl>
    </Panel>
  );
}

interface AttributeProps {
  customer: string;
  name: string;
  value: Value | null;
  definition: AttributeDefinition | undefined;
  writes: boolean;
  /** Given for one that is being added, which is edited from the start. */
  onEnd?: () => void;
}

function Attribute({ customer, name, value, definition, writes, onEnd }: AttributeProps) {
  const { t } = useTranslation(["profiles", "shell"]);
  const { modal } = App.useApp();
  const tell = useTelling();
  const names = useNames();
  const said = useValue();
  const change = useSetAttribute(customer);
  const { attempt } = useDoing();
  const [editing, setEditing] = useState(onEnd !== undefined);
  const label = names("attributes", name);

  const end = () => {
    setEditing(false);
    onEnd?.();
  };
  const isNew = onEnd !== undefined;
  // Of a personal value only the mask is known here, which cannot be put back.
  const isFinal = definition?.personal === true && !isNew;
  const put = (next: Value | null) =>
    attempt(async () => {
      await change.mutateAsync({ name, value: next });
      end();
      const back = () => change.mutateAsync({ name, value: isNew ? null : value });
      tell(t("attributes.saved", { name: label }), { back: isFinal ? null : back });
    });
  const save = async (next: Value | null) => {
    if (!isFinal) return put(next);
    await modal.confirm({
      title: t(next === null ? "attributes.remove_title" : "attributes.replace_title", { name: label }),
      content: t("attributes.final"),
      okText: t(next === null ? "shell:remove" : "shell:save"),
      okButtonProps: { danger: next === null },
      onOk: () => put(next),
    });
  };

  return (
    <div className={styles.pair}>
      <dt>{label}</dt>
      <dd>
        {editing && definition ? (
          <Editor
            definition={definition}
            label={label}
            value={value}
            busy={change.isPending}
            save={save}
            cancel={end}
          />
        ) : (
          <>
            <span>{value === null ? t("attributes.hidden") : said(definition, value)}</span>
            {writes && definition && (
              <Button
                type="text"
                size="small"
                icon={<EditOutlined />}
                aria-label={t("attributes.change", { name: label })}
                onClick={() => {
                  setEditing(true);
                }}
              />
            )}
          </>
        )}
      </dd>
    </div>
  );
}

interface EditorProps {
  definition: AttributeDefinition;
  label: string;
  value: Value | null;
  busy: boolean;
  save: (value: Value | null) => Promise<void>;
  cancel: () => void;
}

function Editor({ definition, label, value, busy, save, cancel }: EditorProps) {
  const { t } = useTranslation(["shell", "profiles"]);
  // A masked value is no value to begin from.
  const [draft, setDraft] = useState<Value | null>(definition.personal ? null : value);
  return (
    <form
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault();
        void save(draft === "" ? null : draft);
      }}
    >
      <Field definition={definition} label={label} value={draft} change={setDraft} cancel={cancel} />
      {definition.personal && <small>{t("profiles:attributes.personal")}</small>}
      <div className={styles.row}>
        <Button type="primary" size="small" htmlType="submit" loading={busy}>
          {t("save")}
        </Button>
        <Button size="small" onClick={cancel}>
          {t("cancel")}
        </Button>
        {value !== null && (
          <Button size="small" danger type="text" onClick={() => void save(null)}>
            {t("remove")}
          </Button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  definition: AttributeDefinition;
  label: string;
  value: Value | null;
  change: (value: Value | null) => void;
  cancel: () => void;
}

function Field({ definition, label, value, change, cancel }: FieldProps): ReactNode {
  const { t } = useTranslation("shell");
  const names = useNames();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") cancel();
  };
  const shared = { autoFocus: true, size: "small", "aria-label": label, onKeyDown } as const;
  switch (definition.type) {
    case "number":
      return <InputNumber {...shared} value={typeof value === "number" ? value : null} onChange={change} />;
    case "boolean": {
      const options = [
        { value: true, label: t("yes") },
        { value: false, label: t("no") },
      ];
      return <Select {...shared} value={value} options={options} onChange={change} />;
    }
    case "choice": {
      const options = definition.choices.map((choice) => ({ value: choice, label: names("choices", choice) }));
      return <Select {...shared} value={value} options={options} onChange={change} />;
    }
    case "date":
      return (
        <DatePicker
          {...shared}
          value={typeof value === "string" ? dayjs(value) : null}
          onChange={(day) => {
            change(day ? day.format("YYYY-MM-DD") : null);
          }}
        />
      );
    default:
      return (
        <Input
          {...shared}
          maxLength={500}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => {
            change(event.target.value);
          }}
        />
      );
  }
}

function useValue(): (definition: AttributeDefinition | undefined, value: Value | null) => string {
  const { t } = useTranslation("shell");
  const names = useNames();
  const say = useSaying();
  return (definition, value) => {
    if (value === null) return t("unknown");
    if (typeof value === "boolean") return value ? t("yes") : t("no");
    if (typeof value === "number") return say.number(value, 6);
    if (definition?.type === "choice") return names("choices", value);
    if (definition?.type === "date" && /^\d{4}-\d\d-\d\d$/.test(value)) return say.day(value);
    return value;
  };
}

function order(known: Map<string, AttributeDefinition>, name: string): number {
  const at = [...known.keys()].indexOf(name);
  return at < 0 ? known.size : at;
}
