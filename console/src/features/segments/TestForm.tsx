/** What a value has to be: how it is compared, and with what. */
import { InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import { RFM_GROUPS } from "@/base/rfm";
import { STAGES } from "@/base/stages";
import { useNames } from "@/base/useSaying";

import { Field } from "./Parts";
import type { Of } from "./queries";
import { useSpeaking } from "./speaking";
import { givenFor, OPS, THAN, withOp, type Kind, type Op, type Test } from "./statements";
import { Amount, Amounts, Day, Words, type Option } from "./Values";

interface Props {
  test: Test;
  kind: Kind;
  /** What is compared, by its name, which says how its values are written. */
  name: string;
  change: (test: Test) => void;
  /** What to suggest of it. */
  of?: Of | null;
  /** Whether it may be compared with an attribute. */
  than?: boolean;
}

export function TestForm({ test, kind, name, change, of = null, than = false }: Props) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  const others = words.attributes.filter((one) => one.kind === kind && one.name !== name);
  const either = than && others.length > 0 && THAN[kind].includes(test.op);
  return (
    <>
      <Select<Op>
        aria-label={t("part.op")}
        value={test.op}
        options={OPS[kind].map((op) => ({ value: op, label: t(`ops.${op}`) }))}
        onChange={(op) => {
          change(withOp(test, op));
        }}
      />
      {either && (
        <Field label={t("part.than")}>
          <Select
            aria-label={t("part.than")}
            value={test.than ?? ""}
            options={[
              { value: "", label: t("part.than_value") },
              ...others.map((one) => ({ value: one.name, label: one.label })),
            ]}
            onChange={(other) => {
              change(other ? { op: test.op, values: [], than: other } : { op: test.op, values: [] });
            }}
          />
        </Field>
      )}
      {!test.than && <Given test={test} kind={kind} name={name} of={of} change={change} />}
    </>
  );
}

function Given({ test, kind, name, of, change }: Omit<Props, "than" | "of"> & { of: Of | null }) {
  const { t } = useTranslation(["segments", "shell"]);
  const options = useOptions(name);
  const given = givenFor(test.op);
  const set = (values: Test["values"]) => {
    change({ op: test.op, values });
  };
  const at = (place: number, value: Test["values"][number] | null) => {
    const values = [...test.values];
    // The second without the first is nothing yet.
    if (value === null) values.splice(place);
    else values[Math.min(place, values.length)] = value;
    set(values);
  };
  if (given === "nothing") return null;
  if (given === "days") {
    return (
      <InputNumber
        min={0}
        max={10_000}
        precision={0}
        aria-label={t("units.days")}
        suffix={t("units.days")}
        value={typeof test.values[0] === "number" ? test.values[0] : null}
        onChange={(days) => {
          set(days === null ? [] : [days]);
        }}
      />
    );
  }
  if (kind === "truth") {
    return (
      <Select<"yes" | "no">
        aria-label={t("part.value")}
        placeholder={t("builder.choose")}
        value={typeof test.values[0] !== "boolean" ? null : test.values[0] ? "yes" : "no"}
        options={(["yes", "no"] as const).map((value) => ({ value, label: t(`shell:${value}`) }))}
        onChange={(value) => {
          set([value === "yes"]);
        }}
      />
    );
  }
  const labels = given === "two" ? [t("part.from"), t("part.to")] : [t("part.value")];
  if (kind === "date" || kind === "moment") {
    return labels.map((label, place) => (
      <Day
        key={label}
        label={label}
        value={typeof test.values[place] === "string" ? test.values[place] : null}
        change={(day) => {
          at(place, day);
        }}
      />
    ));
  }
  if (kind === "text") {
    return (
      <Words
        label={t("part.values")}
        values={test.values.filter((one) => typeof one === "string")}
        of={options ? null : of}
        options={options ?? []}
        change={set}
      />
    );
  }
  if (given === "several") {
    return (
      <Amounts
        label={t("part.values")}
        name={name}
        values={test.values.filter((one) => typeof one === "number")}
        change={set}
      />
    );
  }
  return labels.map((label, place) => (
    <Amount
      key={label}
      label={label}
      name={name}
      value={typeof test.values[place] === "number" ? test.values[place] : null}
      change={(value) => {
        at(place, value);
      }}
    />
  ));
}

const VALUE_GROUPS = ["important", "ordinary"].flatMap((weight) =>
  ["value", "development", "retention", "win_back"].map((what) => `${weight}_${what}`),
);

/** All values of a figure whose values are codes; null for others. */
function useOptions(name: string): Option[] | null {
  const names = useNames();
  const { words } = useSpeaking();
  if (name === "stage") return words.stages.map((one) => ({ value: one.code, label: names("stages", one.code) }));
  if (name === "rfm_group") return RFM_GROUPS.map((value) => ({ value, label: names("rfm_groups", value) }));
  if (name === "value_group") return VALUE_GROUPS.map((value) => ({ value, label: names("value_groups", value) }));
  return null;
}

/** What a stage of the brand is to be chosen from. */
export function useStageOptions(): Option[] {
  return useOptions("stage") ?? STAGES.map((value) => ({ value, label: value }));
}
