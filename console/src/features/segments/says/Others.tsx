/** A customer among others: in segments, on lists, in a random part, at the top. */
import { Input, InputNumber, Segmented } from "antd";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import type { components } from "@/platform/schema";

import styles from "../Builder.module.css";
import { Field, holes, Part, Sentence } from "../Parts";
import { useSpeaking } from "../speaking";

import { Choice, type Of, type Props } from "./parts";

const ENDS = ["highest", "lowest"] as const;

export function OfOthers({ says, change, fresh }: Props<Of<"segment"> | Of<"list">>) {
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

export function OfShare({ says, change }: Props<Of<"share">>) {
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

export function OfTop({ says, change }: Props<Of<"top">>) {
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
              change({ ...says, by: by as components["schemas"]["FigureName"] });
            }}
          />
        ),
      }}
    />
  );
}
