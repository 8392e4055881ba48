/** A statement as a sentence whose parts can be pressed and changed. */
import { DeleteOutlined } from "@ant-design/icons";
import { Button, Input, InputNumber, Segmented, Select } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import type { components } from "@/platform/schema";

import styles from "./Builder.module.css";
import { Field, holes, Part, Sentence, useChanging } from "./Parts";
import { useSpeaking } from "./speaking";
import {
  ANY_FACT,
  isTestWhole,
  kindOfMeasure,
  measuresOf,
  named,
  OPS,
  STEPS_MAX,
  withOp,
  type Kind,
  type Op,
  type Step,
  type Test,
  type What,
  type Window,
} from "./statements";
import { TestForm, useStageOptions } from "./TestForm";
import type { Statement } from "./tree";
import { Counted, Words } from "./Values";
import { useProperties, WhatForm } from "./WhatForm";
import { Limit, SpanForm, WindowForm } from "./WindowForm";
import { PROPERTIES } from "./wording";

type Schemas = components["schemas"];
type Of<Name extends Statement["node"]> = Extract<Statement, { node: Name }>;

interface Props<Says extends Statement> {
  says: Says;
  change: (says: Statement) => void;
  /** It was just added: what has to be chosen first is open. */
  fresh: boolean;
}

export function Says(props: Props<Statement>): ReactNode {
  const { says, ...rest } = props;
  switch (says.node) {
    case "attribute":
      return <OfAttribute says={says} {...rest} />;
    case "figure":
      return <OfFigure says={says} {...rest} />;
    case "tag":
      return <OfTag says={says} {...rest} />;
    case "identity":
      return <OfIdentity says={says} {...rest} />;
    case "consent":
      return <OfConsent says={says} {...rest} />;
    case "did":
      return <OfDid says={says} {...rest} />;
    case "measured":
      return <OfMeasured says={says} {...rest} />;
    case "moved":
      return <OfMoved says={says} {...rest} />;
    case "sequence":
      return <OfSequence says={says} {...rest} />;
    case "segment":
    case "list":
      return <OfOthers says={says} {...rest} />;
    case "share":
      return <OfShare says={says} {...rest} />;
    case "top":
      return <OfTop says={says} {...rest} />;
  }
}

function firstTest(kind: Kind): Test {
  return { op: OPS[kind][0] ?? "known", values: [] };
}

function OfAttribute({ says, change, fresh }: Props<Of<"attribute">>) {
  const { t } = useTranslation("segments");
  const { words, wording } = useSpeaking();
  const kindOf = (name: string) => words.attributes.find((one) => one.name === name)?.kind ?? "text";
  return (
    <Sentence
      text={t("said.attribute", holes("name", "test"))}
      parts={{
        name: (
          <Part name={t("part.name")} text={says.name ? wording.attribute(says.name) : null} begins={fresh}>
            <Select
              aria-label={t("part.name")}
              showSearch={{ optionFilterProp: "label" }}
              value={says.name || null}
              placeholder={t("builder.choose")}
              options={words.attributes.map((one) => ({ value: one.name, label: one.label }))}
              onChange={(name: string) => {
                change({ node: "attribute", name, test: firstTest(kindOf(name)) });
              }}
            />
          </Part>
        ),
        test: (
          <Part name={t("part.test")} text={wording.test(says.test, says.name)}>
            <TestForm
              test={says.test}
              kind={kindOf(says.name)}
              name={says.name}
              of={{ of: "attribute", name: says.name }}
              than
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

function OfFigure({ says, change, fresh }: Props<Of<"figure">>) {
  const { t } = useTranslation("segments");
  const { words, wording } = useSpeaking();
  const kindOf = (name: string) => words.figures.find((one) => one.name === name)?.kind ?? "number";
  const place = says.name === "first_channel" ? "channel" : says.name === "first_store" ? "store" : null;
  return (
    <Sentence
      text={t("said.figure", holes("name", "test"))}
      parts={{
        name: (
          <Part name={t("part.name")} text={wording.figure(says.name)}>
            <Select
              aria-label={t("part.name")}
              showSearch={{ optionFilterProp: "label" }}
              value={says.name}
              options={words.figures.map((one) => ({ value: one.name as typeof says.name, label: one.label }))}
              onChange={(name) => {
                change({ node: "figure", name, test: firstTest(kindOf(name)) });
              }}
            />
          </Part>
        ),
        test: (
          <Part
            name={t("part.test")}
            text={wording.test(says.test, says.name)}
            begins={fresh && !isTestWhole(says.test)}
          >
            <TestForm
              test={says.test}
              kind={kindOf(says.name)}
              name={says.name}
              of={place ? { of: place } : null}
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

function OfTag({ says, change, fresh }: Props<Of<"tag">>) {
  const { t } = useTranslation("segments");
  return (
    <Sentence
      text={says.source ? t("said.tag_of", { ...holes("tag"), source: says.source }) : t("said.tag", holes("tag"))}
      parts={{
        tag: (
          <Part name={t("part.tag")} text={says.tag ? t("quoted", { text: says.tag }) : null} begins={fresh}>
            <Words
              label={t("part.tag")}
              values={says.tag ? [says.tag] : []}
              of={{ of: "tag" }}
              change={(tags) => {
                // One tag is one statement; the one that was chosen last.
                change({ ...says, tag: tags.at(-1) ?? "" });
              }}
            />
          </Part>
        ),
      }}
    />
  );
}

interface ChooseProps {
  name: string;
  value: string;
  options: readonly { value: string; label: string; times?: number | null }[];
  choose: (value: string) => void;
  begins?: boolean;
}

/** A part that is one of a few. */
function Choice({ name, value, options, choose, begins = false }: ChooseProps) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const known = options.find((one) => one.value === value);
  return (
    <Part name={name} text={value ? (known?.label ?? value) : null} begins={begins}>
      <Select
        aria-label={name}
        showSearch={{ optionFilterProp: "label" }}
        placeholder={t("builder.choose")}
        value={value || null}
        options={[...options]}
        optionRender={({ data }) => <Counted label={data.label} times={data.times} say={say.number} />}
        onChange={(chosen: string) => {
          choose(chosen);
        }}
      />
    </Part>
  );
}

function OfIdentity({ says, change, fresh }: Props<Of<"identity">>) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  const options = words.identities.map((one) => ({ value: one.kind, label: one.label, times: one.customers }));
  return (
    <Sentence
      text={t("said.identity", holes("kind"))}
      parts={{
        kind: (
          <Choice
            name={t("part.kind")}
            value={says.kind}
            options={options}
            begins={fresh}
            choose={(kind) => {
              change({ ...says, kind });
            }}
          />
        ),
      }}
    />
  );
}

const CONSENTS = { purpose: "purposes", channel: "channels", state: "consent_states" } as const;

function OfConsent({ says, change, fresh }: Props<Of<"consent">>) {
  const { t } = useTranslation("segments");
  const names = useNames();
  const { words } = useSpeaking();
  const choice = (part: keyof typeof CONSENTS) => {
    const counted = new Map<string, number>();
    for (const one of words.consents) counted.set(one[part], (counted.get(one[part]) ?? 0) + one.customers);
    if (part === "state") for (const state of ["granted", "withdrawn"]) counted.set(state, counted.get(state) ?? 0);
    const options = [...counted].map(([value, times]) => ({ value, label: names(CONSENTS[part], value), times }));
    return (
      <Choice
        name={t(`part.${part}`)}
        value={says[part]}
        options={options}
        begins={fresh && part === "purpose"}
        choose={(value) => {
          change({ ...says, [part]: value });
        }}
      />
    );
  };
  return (
    <Sentence
      text={t("said.consent", holes("purpose", "channel", "state"))}
      parts={{ purpose: choice("purpose"), channel: choice("channel"), state: choice("state") }}
    />
  );
}

function WhatPart({ what, change, begins = false }: { what: What; change: (what: What) => void; begins?: boolean }) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  return (
    <Part name={t("part.what")} text={wording.what(what)} begins={begins}>
      <WhatForm what={what} change={change} />
    </Part>
  );
}

interface WhenProps {
  window: Window;
  change: (window: Window) => void;
  calendar?: boolean;
}

function WhenPart({ window, change, calendar = false }: WhenProps) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  return (
    <Part name={t("part.window")} text={wording.window(window)}>
      <WindowForm window={window} change={change} calendar={calendar} />
    </Part>
  );
}

const TIMES_OPS = ["at_least", "at_most", "more", "less", "between", "is"] as const;

function OfDid({ says, change, fresh }: Props<Of<"did">>) {
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

function OfMeasured({ says, change, fresh }: Props<Of<"measured">>) {
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
    const fits = kindOfMeasure(next.of, by, kind(next.of)) === compared;
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

function OfMoved({ says, change, fresh }: Props<Of<"moved">>) {
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

function OfSequence({ says, change, fresh }: Props<Of<"sequence">>) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  const steps = says.steps;
  const replace = (at: number, step: Step) => {
    change({ ...says, steps: steps.map((one, place) => (place === at ? step : one)) });
  };
  const [first] = words.facts;
  const fact = { ...ANY_FACT, ...(first ? named(first) : {}) };
  return (
    <>
      <ol className={styles.steps}>
        {steps.map((step, at) => (
          <li key={at}>
            <StepSays
              step={step}
              number={at}
              fresh={fresh && at === 0}
              replace={(next) => {
                replace(at, next);
              }}
              {...(at === 0
                ? {
                    window: says.window,
                    changeWindow: (window: Window) => {
                      change({ ...says, window });
                    },
                  }
                : {
                    remove: () => {
                      change({ ...says, steps: steps.filter((one) => one !== step) });
                    },
                  })}
            />
          </li>
        ))}
      </ol>
      <div className={styles.tools}>
        <Part name={t("part.same")} text={t(`same.${says.same ?? "none"}`)}>
          <Select<"none" | "session" | "product">
            aria-label={t("part.same")}
            value={says.same ?? "none"}
            options={(["none", "session", "product"] as const).map((value) => ({ value, label: t(`same.${value}`) }))}
            onChange={(same) => {
              change({ ...says, same: same === "none" ? null : same });
            }}
          />
        </Part>
        <Adding
          full={steps.length >= STEPS_MAX}
          unless={Boolean(steps.at(-1)?.unless)}
          step={() => {
            change({ ...says, steps: [...steps, { what: fact, within: { n: 7, unit: "days" } }] });
          }}
          not={() => {
            const last = steps.at(-1);
            if (last) replace(steps.length - 1, { ...last, unless: { what: fact, within: { n: 7, unit: "days" } } });
          }}
        />
      </div>
    </>
  );
}

interface StepProps {
  step: Step;
  number: number;
  fresh: boolean;
  window?: Window;
  changeWindow?: (window: Window) => void;
  replace: (step: Step) => void;
  remove?: () => void;
}

function StepSays({ step, number, fresh, window, changeWindow, replace, remove }: StepProps) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const what = (
    <WhatPart
      what={step.what}
      begins={fresh}
      change={(next) => {
        replace({ ...step, what: next });
      }}
    />
  );
  const unless = step.unless;
  return (
    <>
      {window && changeWindow ? (
        <Sentence
          text={t("said.sequence.first", holes("what", "window"))}
          parts={{ what, window: <WhenPart calendar window={window} change={changeWindow} /> }}
        />
      ) : (
        <Sentence
          text={t("said.sequence.then", holes("what", "within"))}
          parts={{
            what,
            within: (
              <Part
                name={t("part.within")}
                text={step.within ? t("within", { span: wording.span(step.within) }) : t("whenever")}
              >
                <Limit
                  span={step.within ?? null}
                  change={(within) => {
                    replace({ ...step, within });
                  }}
                />
              </Part>
            ),
          }}
        />
      )}
      {remove && <Removing label={t("part.remove_step", { number: number + 1 })} remove={remove} />}
      {unless && (
        <div>
          <Sentence
            text={t("said.sequence.unless", holes("what", "span"))}
            parts={{
              what: (
                <WhatPart
                  what={unless.what}
                  change={(next) => {
                    replace({ ...step, unless: { ...unless, what: next } });
                  }}
                />
              ),
              span: (
                <Part name={t("part.span")} text={wording.span(unless.within)}>
                  <SpanForm
                    span={unless.within}
                    change={(within) => {
                      replace({ ...step, unless: { ...unless, within } });
                    }}
                  />
                </Part>
              ),
            }}
          />
          <Removing
            label={t("part.remove_unless", { number: number + 1 })}
            remove={() => {
              replace({ ...step, unless: null });
            }}
          />
        </div>
      )}
    </>
  );
}

const ENDS = ["highest", "lowest"] as const;

function OfOthers({ says, change, fresh }: Props<Of<"segment"> | Of<"list">>) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  if (says.node === "segment") {
    return (
      <Sentence
        text={t("said.segment", holes("segment"))}
        parts={{
          segment: (
            <Choice
              name={t("part.segment")}
              value={says.segment_id}
              options={words.segments.map((one) => ({
                value: one.segment_id,
                label: t("quoted", { text: one.name }),
                times: one.customers,
              }))}
              begins={fresh}
              choose={(segment_id) => {
                change({ node: "segment", segment_id });
              }}
            />
          ),
        }}
      />
    );
  }
  return (
    <Sentence
      text={t("said.list", holes("list"))}
      parts={{
        list: (
          <Choice
            name={t("part.list")}
            value={says.list_id}
            options={words.lists.map((one) => ({
              value: one.list_id,
              label: t("quoted", { text: one.name }),
              times: one.customers,
            }))}
            begins={fresh}
            choose={(list_id) => {
              change({ node: "list", list_id });
            }}
          />
        ),
      }}
    />
  );
}

function OfShare({ says, change }: Props<Of<"share">>) {
  const { t } = useTranslation("segments");
  const percent = (name: "since" | "until") => (
    <Field label={t(`part.${name === "since" ? "from" : "to"}`)}>
      <InputNumber
        min={0}
        max={100}
        suffix="%"
        aria-label={t(`part.${name === "since" ? "from" : "to"}`)}
        value={says[name]}
        onChange={(value) => {
          change({ ...says, [name]: value ?? 0 });
        }}
      />
    </Field>
  );
  return (
    <Sentence
      text={t("said.share", holes("share"))}
      parts={{
        share: (
          <Part name={t("part.share")} text={`${says.since} % – ${says.until} %`}>
            {percent("since")}
            {percent("until")}
            <Field label={t("part.seed")}>
              <Input
                aria-label={t("part.seed")}
                maxLength={100}
                value={says.seed}
                onChange={(event) => {
                  change({ ...says, seed: event.target.value });
                }}
              />
              <small className={styles.small}>{t("part.seed_how")}</small>
            </Field>
          </Part>
        ),
      }}
    />
  );
}

function OfTop({ says, change }: Props<Of<"top">>) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { words, wording } = useSpeaking();
  const share = says.n == null;
  const number = (share ? says.percent : says.n) ?? null;
  const many = (ofShare: boolean, value: number | null) => {
    change({ ...says, n: ofShare ? null : value, percent: ofShare ? value : null });
  };
  return (
    <Sentence
      text={t("said.top", holes("many", "end", "by"))}
      parts={{
        many: (
          <Part
            name={t("part.many")}
            text={number ? (share ? `${say.number(number, 2)} %` : say.number(number)) : null}
          >
            <Segmented
              aria-label={t("part.unit")}
              value={share ? "percent" : "people"}
              options={(["percent", "people"] as const).map((value) => ({ value, label: t(`part.${value}`) }))}
              onChange={(unit) => {
                many(unit === "percent", unit === "percent" ? 10 : 100);
              }}
            />
            <InputNumber
              min={share ? 0.1 : 1}
              max={share ? 100 : 2 ** 31 - 1}
              aria-label={t("part.many")}
              value={number}
              onChange={(value) => {
                many(share, value);
              }}
            />
          </Part>
        ),
        end: (
          <Part name={t("part.end")} text={t(`ends.${says.lowest ? "lowest" : "highest"}`)}>
            <Segmented<(typeof ENDS)[number]>
              aria-label={t("part.end")}
              value={says.lowest ? "lowest" : "highest"}
              options={ENDS.map((value) => ({ value, label: t(`ends.${value}`) }))}
              onChange={(end) => {
                change({ ...says, lowest: end === "lowest" });
              }}
            />
          </Part>
        ),
        by: (
          <Choice
            name={t("part.by")}
            value={says.by}
            options={words.figures
              .filter((one) => one.kind !== "text")
              .map((one) => ({ value: one.name, label: wording.figure(one.name) }))}
            choose={(by) => {
              change({ ...says, by: by as Schemas["FigureName"] });
            }}
          />
        ),
      }}
    />
  );
}

function Removing({ label, remove }: { label: string; remove: () => void }) {
  const changing = useChanging();
  if (!changing) return null;
  return <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={label} onClick={remove} />;
}

interface AddingProps {
  full: boolean;
  unless: boolean;
  step: () => void;
  not: () => void;
}

function Adding({ full, unless, step, not }: AddingProps) {
  const { t } = useTranslation("segments");
  const changing = useChanging();
  if (!changing) return null;
  return (
    <>
      {!full && (
        <Button type="link" size="small" onClick={step}>
          {t("part.add_step")}
        </Button>
      )}
      {!unless && (
        <Button type="link" size="small" onClick={not}>
          {t("part.add_unless")}
        </Button>
      )}
    </>
  );
}
