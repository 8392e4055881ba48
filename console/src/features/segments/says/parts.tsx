/** What statements of several kinds are made of. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";

import { Part } from "../Parts";
import { useSpeaking } from "../speaking";
import { OPS, type Kind, type Test, type What, type Window } from "../statements";
import type { Statement } from "../tree";
import { Counted } from "../Values";
import { WhatForm } from "../WhatForm";
import { WindowForm } from "../WindowForm";

export type Of<Name extends Statement["node"]> = Extract<Statement, { node: Name }>;

export interface Props<Says extends Statement> {
  says: Says;
  change: (says: Statement) => void;
  /** It was just added: what has to be chosen first is open. */
  fresh: boolean;
}

export function firstTest(kind: Kind): Test {
  return { op: OPS[kind][0] ?? "known", values: [] };
}

interface ChooseProps {
  name: string;
  value: string;
  options: readonly { value: string; label: string; times?: number | null }[];
  choose: (value: string) => void;
  begins?: boolean;
}

/** A part that is one of a few. */
export function Choice({ name, value, options, choose, begins = false }: ChooseProps) {
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

export function WhatPart({
  what,
  change,
  begins = false,
}: {
  what: What;
  change: (what: What) => void;
  begins?: boolean;
}) {
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

export function WhenPart({ window, change, calendar = false }: WhenProps) {
  const { t } = useTranslation("segments");
  const { wording } = useSpeaking();
  return (
    <Part name={t("part.window")} text={wording.window(window)}>
      <WindowForm window={window} change={change} calendar={calendar} />
    </Part>
  );
}
