/** What happened to a customer: how often, a figure of it, and moves between stages. */
import { InputNumber, Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";

import { Field, holes, Part, Sentence } from "../Parts";
import { useSpeaking } from "../speaking";
import { ANY_FACT, isTestWhole, kindOfMeasure, measuresOf, withOp, type Kind, type Op, type Test } from "../statements";
import { TestForm, useStageOptions } from "../TestForm";
import { Words } from "../Values";
import { useProperties } from "../WhatForm";
import { PROPERTIES } from "../wording";

import { firstTest, WhatPart, WhenPart, type Of, type Props } from "./parts";

const TIMES_OPS = ["at_least", "at_most", "more", "less", "between", "is"] as const;

export function OfDid({ says, change, fresh }: Props<Of<"did">>) {
  const { t } = useTranslation("segments");
  return (
    <Sentence
      text={t("said.did", holes("times", "what", "window"))}
      parts={{
        times: (
          <TimesPart
            times={says.times}
            change={(times) => {
              change({ ...says, times });
            }}
          />
        ),
        what: (
          <WhatPart
            what={says.what}
            begins={fresh}
            change={(what) => {
              change({ ...says, what });
            }}
          />
        ),
        window: (
          <WhenPart
            window={says.window}
            change={(window) => {
              change({ ...says, window });
            }}
          />
        ),
      }}
    />
  );
}

function TimesPart({ times, change }: { times: Test; change: (times: Test) => void }) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const never = times.op === "is" && times.values[0] === 0;
  const labels = times.op === "between" ? [t("part.from"), t("part.to")] : [t("part.n")];
  return (
    <Part name={t("part.times")} text={wording.times(times)}>
      <Select<Op | "never">
        aria-label={t("part.op")}
        value={never ? "never" : times.op}
        options={[
          ...TIMES_OPS.map((op) => ({ value: op, label: t(`times_ops.${op}`) })),
          { value: "never", label: t("times_ops.never") },
        ]}
        onChange={(op) => {
          change(op === "never" ? { op: "is", values: [0] } : never ? { op, values: [1] } : withOp(times, op));
        }}
      />
      {!never &&
        labels.map((label, place) => (
          <InputNumber
            key={label}
            min={0}
            precision={0}
            aria-label={label}
            value={typeof times.values[place] === "number" ? times.values[place] : null}
            onChange={(value) => {
              const values = times.values.slice(0, place);
              change({
                op: times.op,
                values: value === null ? values : [...values, value, ...times.values.slice(place + 1)],
              });
            }}
          />
        ))}
    </Part>
  );
}

const OF_ORDERS = ["amount_minor", "day", "quantity", "product_id", "category", "brand"] as const;

export function OfMeasured({ says, change, fresh }: Props<Of<"measured">>) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const facts = useProperties(says.what.of === "facts" ? says.what : ANY_FACT);
  const properties: { name: string; kind: Kind }[] =
    says.what.of === "facts"
      ? [{ name: "day", kind: "moment" }, ...facts]
      : OF_ORDERS.map((name) => ({ name, kind: PROPERTIES[name] }));
  const kind = (of: string) => properties.find((one) => one.name === of)?.kind ?? "text";
  const compared = kindOfMeasure(says.of, says.by, kind(says.of));
  /** What is measured may not be there of something else, and a test not fit what is measured then. */
  const measure = (next: Pick<typeof says, "what" | "of" | "by">) => {
    const by = measuresOf(next.of, next.what).includes(next.by)
      ? next.by
      : (measuresOf(next.of, next.what)[0] ?? "sum");
    const fits = kindOfMeasure(next.of, by, kind(next.of)) === compared && by !== "share";
    change({ ...says, ...next, by, test: fits ? says.test : firstTest(kindOfMeasure(next.of, by, kind(next.of))) });
  };
  return (
    <Sentence
      text={t("said.measured", holes("measure", "what", "window", "test"))}
      parts={{
        measure: (
          <Part name={t("part.measure")} text={wording.measure(says.of, says.by)}>
            <Field label={t("part.of")}>
              <Select
                aria-label={t("part.of")}
                showSearch={{ optionFilterProp: "label" }}
                value={says.of}
                options={properties.map(({ name }) => ({ value: name, label: wording.property(name) }))}
                onChange={(of) => {
                  measure({ what: says.what, of, by: says.by });
                }}
              />
            </Field>
            <Field label={t("part.by_measure")}>
              <Select<typeof says.by>
                aria-label={t("part.by_measure")}
                value={says.by}
                options={measuresOf(says.of, says.what).map((by) => ({ value: by, label: t(`hows.${by}`) }))}
                onChange={(by) => {
                  measure({ what: says.what, of: says.of, by });
                }}
              />
            </Field>
          </Part>
        ),
        what: (
          <WhatPart
            what={says.what}
            change={(what) => {
              // Of another kind, only when it happened is there of both.
              if (what.of !== says.what.of)
                change({ ...says, what, of: "day", by: "last", test: { op: "last_days", values: [30] } });
              else measure({ what, of: says.of, by: says.by });
            }}
          />
        ),
        window: (
          <WhenPart
            window={says.window}
            change={(window) => {
              change({ ...says, window });
            }}
          />
        ),
        test: (
          <Part
            name={t("part.test")}
            text={wording.test(says.test, says.by === "distinct" ? "" : says.of)}
            begins={fresh && !isTestWhole(says.test)}
          >
            <TestForm
              test={says.test}
              kind={compared}
              name={says.by === "distinct" ? "" : says.of}
              change={(test) => {
                change({ ...says, test });
              }}
            />
          </Part>
        ),
      }}
    />
  );
}

export function OfMoved({ says, change, fresh }: Props<Of<"moved">>) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const stages = useStageOptions();
  const said = says.stages.map((stage) => stages.find((one) => one.value === stage)?.label ?? stage);
  return (
    <Sentence
      text={t("said.moved", holes("change", "stages", "window"))}
      parts={{
        change: (
          <Part name={t("part.change")} text={t(`changes.${says.change}`)}>
            <Segmented<"entered" | "left">
              aria-label={t("part.change")}
              value={says.change}
              options={(["entered", "left"] as const).map((value) => ({ value, label: t(`changes.${value}`) }))}
              onChange={(next) => {
                change({ ...says, change: next });
              }}
            />
          </Part>
        ),
        stages: (
          <Part name={t("part.stages")} text={said.length > 0 ? wording.either(said) : null} begins={fresh}>
            <Words
              label={t("part.stages")}
              values={says.stages}
              options={stages}
              change={(next) => {
                change({ ...says, stages: next });
              }}
            />
          </Part>
        ),
        window: (
          <WhenPart
            window={says.window}
            change={(window) => {
              change({ ...says, window });
            }}
          />
        ),
      }}
    />
  );
}
