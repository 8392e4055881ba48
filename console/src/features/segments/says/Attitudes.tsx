/** What customers like and think: what they spend most on, and what they last answered to a survey. */
import { useTranslation } from "react-i18next";

import { Field, holes, Part, Sentence } from "../Parts";
import { useSpeaking } from "../speaking";
import { answerTo, SURVEYS, surveysOf, type Answered } from "../statements";
import { TestForm } from "../TestForm";
import { Words } from "../Values";
import { SpendingForm } from "../WhatForm";
import { SPENDING } from "../wording";

import { Choice, WhenPart, type Of, type Props } from "./parts";

export function OfSpending({ says, change, fresh }: Props<Of<"measured">>) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const { what } = says;
  // Of what no orders are, nothing is a share.
  if (what.of !== "orders") return null;
  return (
    <Sentence
      text={t("said.spending", holes("test", "window", "goods"))}
      parts={{
        test: (
          <Part name={t("part.spent_share")} text={wording.part(says.test)}>
            <TestForm
              test={says.test}
              kind="number"
              name={SPENDING}
              change={(test) => {
                change({ ...says, test });
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
        goods: (
          <Part name={t("part.goods")} text={wording.goods(what)} begins={fresh}>
            <SpendingForm
              what={what}
              change={(next) => {
                change({ ...says, what: next });
              }}
            />
          </Part>
        ),
      }}
    />
  );
}

export function OfAnswered({ says, change, fresh }: Props<Of<"measured">>) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  const surveys = surveysOf(says) ?? [];
  const facts = { of: "property", fact_name: SURVEYS.name } as const;
  const [one, ...others] = surveys;
  // Of several surveys the answers of all are suggested.
  const where = one !== undefined && others.length === 0 ? { where: SURVEYS.which, where_is: one } : {};
  return (
    <Sentence
      text={t("said.answered", holes("answer", "survey", "window", "test"))}
      parts={{
        survey: (
          <Part
            name={t("part.survey")}
            text={surveys.length > 0 ? wording.either(surveys.map((text) => t("quoted", { text }))) : null}
            begins={fresh}
          >
            <Field label={t("part.survey")}>
              <Words
                label={t("part.survey")}
                values={surveys}
                of={{ ...facts, name: SURVEYS.which }}
                change={(values) => {
                  change({ ...says, what: answerTo(values, "score").what });
                }}
              />
            </Field>
          </Part>
        ),
        answer: (
          <Choice
            name={t("part.answer")}
            value={says.of}
            options={SURVEYS.answers.map((value) => ({ value, label: wording.property(value) }))}
            choose={(of) => {
              change({ ...answerTo(surveys, of as Answered), window: says.window });
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
          <Part name={t("part.test")} text={wording.test(says.test, says.of)}>
            <TestForm
              test={says.test}
              kind={says.of === "score" ? "number" : "text"}
              name={says.of}
              of={{ ...facts, name: says.of, ...where }}
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
