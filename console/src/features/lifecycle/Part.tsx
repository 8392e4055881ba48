/** A part of an analytical page: what is shown while it is awaited, and where there is nothing to show. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Answer, Empty, Waiting } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import styles from "./Analysis.module.css";

interface Props<Data> {
  of: Pick<UseQueryResult<Data>, "data" | "error" | "refetch"> & { isPlaceholderData?: boolean };
  height?: number;
  children: (data: Data) => ReactNode;
}

/** The children with the answer; the former one stays, fainter, until the new one comes. */
export function Part<Data>({ of, height = 360, children }: Props<Data>) {
  return (
    <div className={of.isPlaceholderData ? styles.stale : undefined} aria-busy={of.isPlaceholderData ?? false}>
      <Answer
        of={of}
        waiting={
          <Panel>
            <Waiting height={height} />
          </Panel>
        }
      >
        {children}
      </Answer>
    </div>
  );
}

const REASONS = ["no_lines", "no_channel", "no_category", "nothing_stored", "no_sales"] as const;

/** Why there are no figures, and what would bring some. */
export function Nothing({ title, reason, children }: { title: string; reason?: string | null; children?: ReactNode }) {
  const { t } = useTranslation("lifecycle");
  const known = REASONS.find((one) => reason?.endsWith(`.${one}`));
  return (
    <Panel title={title}>
      <Empty title={known ? t(`analysis.reasons.${known}`) : t("analysis.nothing")}>
        {known ? t(`analysis.reasons.${known}_how`) : (children ?? t("analysis.nothing_how"))}
      </Empty>
    </Panel>
  );
}
