/** When something happened, and how long a time is. */
import { Checkbox, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import styles from "./Builder.module.css";
import { Field } from "./Parts";
import { ANY_ORDER, UNITS, type Span, type Window } from "./statements";
import { Day } from "./Values";
import { WhatForm } from "./WhatForm";

const CALENDAR = ["ever", "last", "between"] as const;
const ALL = [...CALENDAR, "since_stage", "after", "before"] as const;

interface Props {
  window: Window;
  change: (window: Window) => void;
  /** Only what a calendar says, as for the beginning of a sequence. */
  calendar?: boolean;
}

export function WindowForm({ window, change, calendar = false }: Props) {
  const { t } = useTranslation("segments");
  const begin = (when: Window["when"]): Window => {
    if (when === "last") return { when, span: { n: 90, unit: "days" } };
    if (when === "after" || when === "before") {
      return window.when === "after" || window.when === "before"
        ? { ...window, when }
        : { when, which: "last", what: ANY_ORDER };
    }
    return { when };
  };
  return (
    <>
      <Select<Window["when"]>
        aria-label={t("part.window")}
        value={window.when}
        options={(calendar ? CALENDAR : ALL).map((when) => ({ value: when, label: t(`whens.${when}`) }))}
        onChange={(when) => {
          change(begin(when));
        }}
      />
      {window.when === "last" && (
        <SpanForm
          span={window.span}
          change={(span) => {
            change({ ...window, span });
          }}
        />
      )}
      {window.when === "between" && (
        <>
          <Day
            label={t("part.since")}
            value={window.since ?? null}
            change={(since) => {
              change({ ...window, since });
            }}
          />
          <Day
            label={t("part.until")}
            value={window.until ?? null}
            change={(until) => {
              change({ ...window, until });
            }}
          />
        </>
      )}
      {(window.when === "after" || window.when === "before") && (
        <>
          <Field label={t("part.anchor_which")}>
            <Select<"first" | "last">
              aria-label={t("part.anchor_which")}
              value={window.which}
              options={(["first", "last"] as const).map((value) => ({ value, label: t(`anchors.${value}`) }))}
              onChange={(which) => {
                change({ ...window, which });
              }}
            />
          </Field>
          <WhatForm
            what={window.what}
            change={(what) => {
              change({ ...window, what });
            }}
          />
          <Limit
            span={window.within ?? null}
            change={(within) => {
              change({ ...window, within });
            }}
          />
        </>
      )}
    </>
  );
}

/** A time that something is limited to, or none. */
export function Limit({ span, change }: { span: Span | null; change: (span: Span | null) => void }) {
  const { t } = useTranslation("segments");
  return (
    <>
      <Checkbox
        checked={span !== null}
        onChange={(event) => {
          change(event.target.checked ? { n: 7, unit: "days" } : null);
        }}
      >
        {t("part.with_limit")}
      </Checkbox>
      {span && <SpanForm span={span} change={change} />}
    </>
  );
}

export function SpanForm({ span, change }: { span: Span; change: (span: Span) => void }) {
  const { t } = useTranslation("segments");
  return (
    <div className={styles.pair}>
      <InputNumber
        min={1}
        precision={0}
        aria-label={t("part.n")}
        value={span.n > 0 ? span.n : null}
        onChange={(n) => {
          change({ ...span, n: n ?? 0 });
        }}
      />
      <Select<Span["unit"]>
        aria-label={t("part.unit")}
        value={span.unit}
        options={UNITS.map((unit) => ({ value: unit, label: t(`units.${unit}`) }))}
        onChange={(unit) => {
          change({ ...span, unit });
        }}
      />
    </div>
  );
}
