/** How far a job is, and what it does now; it can be called off. */
import { Button, Progress } from "antd";
import { useTranslation } from "react-i18next";

import { api } from "@/platform/client";

import { useDoing } from "./doing";
import styles from "./JobBar.module.css";
import type { Job } from "./useJob";

export function JobBar({ job, title }: { job: Job; title: string }) {
  const { t } = useTranslation("shell");
  const { attempt } = useDoing();
  const said = job.cancelling ? t("job.cancelling") : (job.doing ?? t(`job.${job.state}`));
  return (
    <div className={styles.bar}>
      <div className={styles.head}>
        <strong>{title}</strong>
        <span role="status">{said}</span>
        {job.mine && !job.cancelling && (
          <Button
            size="small"
            onClick={() =>
              void attempt(() => api.DELETE("/api/jobs/{job_id}", { params: { path: { job_id: job.job_id } } }))
            }
          >
            {t("job.cancel")}
          </Button>
        )}
      </div>
      <Progress
        percent={Math.floor(job.progress * 100)}
        status={job.state === "running" ? "active" : "normal"}
        aria-label={title}
      />
    </div>
  );
}

/** Why a job did not come to its end. */
export function JobFailed({ job }: { job: Job }) {
  const { t } = useTranslation("shell");
  return (
    <div className={styles.failed} role="alert">
      <strong>{t(job.state === "cancelled" ? "job.cancelled" : "job.failed")}</strong>
      {job.problem && <p>{job.problem.detail}</p>}
    </div>
  );
}
