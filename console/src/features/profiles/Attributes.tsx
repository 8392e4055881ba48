/** What is known of a customer, each value changed where it stands. */
import { EditOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, DatePicker, Input, InputNumber, Select } from "antd";
import dayjs from "dayjs";
import { useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { Empty, Refused } from "@/shell/Answer";
import { Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import styles from "./Customer.module.css";
import { useAgain, useDefinitions, useSetAttribute, type AttributeDefinition, type Value } from "./queries";

interface Props {
  customer: string;
  values: Readonly<Record<string, Value | null>>;
  /** Of the values as they are shown. */
  tag: string;
  /** Whether values may be changed here. */
  writes: boolean;
}

/** What an editor was filled from. One is open at a time: else one's own change would overtake one's own. */
interface Edited {
  name: string;
  value: Value | null;
  tag: string;
  isNew: boolean;
}

export function Attributes({ customer, values, tag, writes }: Props) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const definitions = useDefinitions().data ?? [];
  const [edited, setEdited] = useState<Edited | null>(null);
  const known = new Map(definitions.map((one) => [one.name, one]));
  const shown = Object.keys(values).sort((a, b) => order(known, a) - order(known, b) || a.localeCompare(b));
  const left = definitions.filter((one) => !(one.name in values));
  const adding = edited?.isNew && !(edited.name in values) ? [edited.name] : [];

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
              setEdited({ name, value: null, tag, isNew: true });
            }}
          />
        )
      }
    >
      {shown.length + adding.length === 0 && <Empty title={t("attributes.none")}>{t("attributes.none_how")}</Empty>}
      <dl className={styles.pairs}>
        {[...shown, ...adding].map((name) => (
          <Attribute
            key={name}
            customer={customer}
            name={name}
            value={values[name] ?? null}
            writes={writes}
            definition={known.get(name)}
            edited={edited?.name === name ? edited : null}
            edit={() => {
              setEdited({ name, value: values[name] ?? null, tag, isNew: false });
            }}
            end={() => {
              setEdited((now) => (now?.name === name ? null : now));
            }}
          />
        ))}
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
  edited: Edited | null;
  edit: () => void;
  end: () => void;
}

function Attribute({ customer, name, value, definition, writes, edited, edit, end }: AttributeProps) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const said = useValue();
  const label = names("attributes", name);
  return (
    <div className={styles.pair}>
      <dt>{label}</dt>
      <dd>
        {edited && definition ? (
          <EditAttribute customer={customer} label={label} definition={definition} edited={edited} end={end} />
        ) : (
          <>
            <span>{value === null ? t("attributes.hidden") : said(definition, value)}</span>
            {writes && definition && (
              <Button
                type="text"
                size="small"
                icon={<EditOutlined />}
                aria-label={t("attributes.change", { name: label })}
                onClick={edit}
              />
            )}
          </>
        )}
      </dd>
    </div>
  );
}

interface EditAttributeProps {
  customer: string;
  label: string;
  definition: AttributeDefinition;
  edited: Edited;
  end: () => void;
}

function EditAttribute({ customer, label, definition, edited, end }: EditAttributeProps) {
  const { t } = useTranslation(["profiles", "shell"]);
  const { modal } = App.useApp();
  const tell = useTelling();
  const change = useSetAttribute(customer);
  const again = useAgain(customer);
  const { name, value, tag, isNew } = edited;
  // Of a personal value only the mask is known here, which cannot be put back.
  const isFinal = definition.personal && !isNew;
  const put = (next: Value | null) => {
    change.mutate(
      { name, value: next, tag },
      {
        onSuccess: (made) => {
          end();
          const back = () => change.mutateAsync({ name, value: isNew ? null : value, tag: made.tag });
          tell(t("attributes.saved", { name: label }), { back: isFinal ? null : back });
        },
      },
    );
  };
  const save = (next: Value | null) => {
    if (!isFinal) {
      put(next);
      return;
    }
    void modal.confirm({
      title: t(next === null ? "attributes.remove_title" : "attributes.replace_title", { name: label }),
      content: t("attributes.final"),
      okText: t(next === null ? "shell:remove" : "shell:save"),
      okButtonProps: { danger: next === null },
      onOk: () => {
        put(next);
      },
    });
  };
  return (
    <>
      <Editor definition={definition} label={label} value={value} busy={change.isPending} save={save} cancel={end} />
      {change.error && <Refused error={change.error} newest={() => void again().then(end)} />}
    </>
  );
}

interface EditorProps {
  definition: AttributeDefinition;
  label: string;
  value: Value | null;
  busy: boolean;
  save: (value: Value | null) => void;
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
        save(draft === "" ? null : draft);
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
          <Button
            size="small"
            danger
            type="text"
            onClick={() => {
              save(null);
            }}
          >
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
