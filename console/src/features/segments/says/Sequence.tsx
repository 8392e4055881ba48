/** What happened to a customer, one thing after another. */
import { DeleteOutlined } from "@ant-design/icons";
import { Button, Select } from "antd";
import { useTranslation } from "react-i18next";

import styles from "../Builder.module.css";
import { holes, Part, Sentence, useChanging } from "../Parts";
import { useSpeaking } from "../speaking";
import { ANY_FACT, named, STEPS_MAX, type Step, type Window } from "../statements";
import { Limit, SpanForm } from "../WindowForm";

import { WhatPart, WhenPart, type Of, type Props } from "./parts";

export function OfSequence({ says, change, fresh }: Props<Of<"sequence">>) {
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
