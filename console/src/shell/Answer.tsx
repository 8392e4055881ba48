/** What an answer looks like while it is awaited, when there is none, and when it was refused. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { useDeferredValue, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { NO_ANSWER, Problem } from "@/platform/client";
import { CHANGED_MEANWHILE } from "@/platform/editing";

import styles from "./Answer.module.css";

interface Props<Data> {
  of: Pick<UseQueryResult<Data>, "data" | "error" | "refetch">;
  /** The height that the answer will have, so that nothing jumps when it comes. */
  height?: number;
  waiting?: ReactNode;
  children: (data: Data) => ReactNode;
}

/** The children with the answer, from the moment that there is one; kept while it is asked for again. */
export function Answer<Data>({ of, height = 200, waiting, children }: Props<Data>) {
  // What was awaited is drawn in slices: much comes at once, and the page is to hear its reader meanwhile.
  const shown = useDeferredValue(of.data !== undefined);
  if (of.data !== undefined && shown) return <>{children(of.data)}</>;
  if (of.error) return <Refused error={of.error} again={() => void of.refetch()} />;
  return waiting ?? <Waiting height={height} />;
}

export function Waiting({ height }: { height: number }) {
  const { t } = useTranslation("shell");
  return (
    <div style={{ minHeight: height }} aria-busy="true" aria-label={t("waiting")} role="status">
      <Skeleton active title={false} paragraph={{ rows: Math.max(1, Math.floor(height / 36)) }} />
    </div>
  );
}

interface RefusedProps {
  error: unknown;
  again?: () => void;
  /** Fills the form anew from what somebody else has made of the thing meanwhile. */
  newest?: () => void;
}

/** Why something was refused, and what can be done. */
export function Refused({ error, again, newest }: RefusedProps) {
  const { t } = useTranslation("shell");
  const { title, detail, id } = useRefusal(error);
  if (newest && error instanceof Problem && error.code === CHANGED_MEANWHILE) {
    return (
      <div className={styles.refused} role="alert">
        <strong>{t("changed.title")}</strong>
        <p>{t("changed.what")}</p>
        <Button size="small" onClick={newest}>
          {t("changed.newest")}
        </Button>
      </div>
    );
  }
  return (
    <div className={styles.refused} role="alert">
      <strong>{title}</strong>
      <p>{detail}</p>
      {id && <p className={styles.id}>{t("refused.id", { id })}</p>}
      {again && (
        <Button size="small" onClick={again}>
          {t("refused.again")}
        </Button>
      )}
    </div>
  );
}

export interface Refusal {
  title: string;
  detail: string;
  id: string | null;
}

/** An error in words: a problem's own detail, else what may be done about it. */
export function useRefusal(error: unknown): Refusal {
  const { t } = useTranslation("shell");
  if (error instanceof Problem) {
    if (error.code === NO_ANSWER) return { title: t("refused.no_answer"), detail: t("refused.no_answer_do"), id: null };
    return { title: t("refused.title"), detail: error.detail, id: error.requestId };
  }
  return { title: t("refused.mistake"), detail: t("refused.mistake_do"), id: null };
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** There is nothing yet: why, and how something comes to be here. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className={styles.empty}>
      <strong>{title}</strong>
      {children && <div>{children}</div>}
      {action}
    </div>
  );
}
