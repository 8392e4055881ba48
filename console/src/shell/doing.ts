/** Do something that may be refused, and tell the reader when it was. */
import { useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useTranslation } from "react-i18next";

import { NO_ANSWER, Problem } from "@/platform/client";
import { CHANGED_MEANWHILE } from "@/platform/editing";

export interface Doing {
  /** Whether it went well. */
  attempt: (work: () => Promise<unknown>) => Promise<void>;
}

export function useDoing(): Doing {
  const { notification } = App.useApp();
  const queries = useQueryClient();
  const { t } = useTranslation("shell");
  return {
    attempt: async (work) => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        // Somebody else was faster: what is shown is old.
        if (error.code === CHANGED_MEANWHILE) await queries.invalidateQueries();
        const away = error.code === NO_ANSWER;
        const id = error.requestId ? `\n${t("refused.id", { id: error.requestId })}` : "";
        notification.error({
          title: away ? t("refused.no_answer") : t("refused.title"),
          description: away ? t("refused.no_answer_do") : error.detail + id,
          duration: 10,
        });
      }
    },
  };
}
