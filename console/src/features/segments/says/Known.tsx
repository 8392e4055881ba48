/** What is known of a customer: attributes, figures, tags, identities and consent. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";

import { holes, Part, Sentence } from "../Parts";
import { useSpeaking } from "../speaking";
import { isTestWhole } from "../statements";
import { TestForm } from "../TestForm";
import { Words } from "../Values";

import { Choice, firstTest, type Of, type Props } from "./parts";

export function OfAttribute({ says, change, fresh }: Props<Of<"attribute">>) {
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

export function OfFigure({ says, change, fresh }: Props<Of<"figure">>) {
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

export function OfTag({ says, change, fresh }: Props<Of<"tag">>) {
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

const NEAR = ["city", "district"] as const;

export function OfNear({ says, change, fresh }: Props<Of<"near">>) {
  const { t } = useTranslation("segments");
  const { words, wording } = useSpeaking();
  const called = says.stores.map((store) => words.stores.find((one) => one.value === store)?.label ?? store);
  return (
    <Sentence
      text={t("said.near", holes("within", "stores"))}
      parts={{
        within: (
          <Choice
            name={t("part.within_place")}
            value={says.within}
            options={NEAR.map((value) => ({ value, label: t(`near.${value}`) }))}
            choose={(within) => {
              change({ ...says, within: within === "district" ? "district" : "city" });
            }}
          />
        ),
        stores: (
          <Part name={t("part.stores")} text={called.length > 0 ? wording.either(called) : null} begins={fresh}>
            <Words
              label={t("part.stores")}
              values={says.stores}
              of={{ of: "store" }}
              change={(stores) => {
                change({ ...says, stores });
              }}
            />
          </Part>
        ),
      }}
    />
  );
}

export function OfIdentity({ says, change, fresh }: Props<Of<"identity">>) {
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

export function OfConsent({ says, change, fresh }: Props<Of<"consent">>) {
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
