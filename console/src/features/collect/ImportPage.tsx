/** Bring in files: choose them, look at what they are, try, and then do it. The address holds how far one is. */
import { InboxOutlined } from "@ant-design/icons";
import { Button, Progress, Upload } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { sendFile } from "@/platform/client";
import { Refused } from "@/shell/Answer";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { Page, Panel } from "@/shell/Page";

import { useLooks, usePreviews } from "./imports";
import { Imports } from "./Imports";
import styles from "./ImportPage.module.css";
import { Looked } from "./ImportLooked";

const FILES_MAX = 20;
const TAKEN = ".csv,.tsv,.txt,.xlsx,.parquet,.jsonl,.ndjson,.json";

export function ImportPage() {
  const { t } = useTranslation("collect");
  const [address, setAddress] = useSearchParams();
  const looked = (address.get("looked") ?? "").split(",").filter(Boolean);
  return (
    <Page
      title={t("import.title")}
      about={t("import.about")}
      actions={
        looked.length > 0 && (
          <Button
            onClick={() => {
              setAddress({});
            }}
          >
            {t("import.other_files")}
          </Button>
        )
      }
    >
      {looked.length === 0 ? (
        <>
          <Choose
            done={(ids) => {
              setAddress({ looked: ids.join(",") });
            }}
          />
          <Imports />
        </>
      ) : (
        <Looking ids={looked} key={looked.join(",")} />
      )}
    </Page>
  );
}

interface Sending {
  file: File;
  share: number;
  job: string | null;
  error: unknown;
}

function Choose({ done }: { done: (ids: string[]) => void }) {
  const { t } = useTranslation("collect");
  const [sendings, setSendings] = useState<readonly Sending[]>([]);
  const busy = sendings.some((one) => one.job === null && !one.error);
  const send = async (files: readonly File[]) => {
    const begun = files.slice(0, FILES_MAX).map((file) => ({ file, share: 0, job: null, error: null }));
    setSendings(begun);
    const set = (at: number, change: Partial<Sending>) => {
      setSendings((before) => before.map((one, place) => (place === at ? { ...one, ...change } : one)));
    };
    const ids: string[] = [];
    // One after the other: together they would only take longer.
    for (const [at, { file }] of begun.entries()) {
      try {
        const sent = await sendFile(file, (share) => {
          set(at, { share });
        });
        set(at, { share: 1, job: sent.job_id });
        ids.push(sent.job_id);
      } catch (error) {
        set(at, { error });
      }
    }
    if (ids.length === begun.length) done(ids);
  };
  return (
    <Panel title={t("import.choose")} about={t("import.choose_about")}>
      <Upload.Dragger
        multiple
        accept={TAKEN}
        disabled={busy}
        showUploadList={false}
        beforeUpload={(file, all) => {
          // The components call this for each of them.
          if (file === all[0]) void send(all);
          return false;
        }}
      >
        <p className={styles.icon}>
          <InboxOutlined aria-hidden="true" />
        </p>
        <p>{t("import.drop")}</p>
        <p className={styles.hint}>{t("import.formats")}</p>
      </Upload.Dragger>
      {sendings.map((one, at) => (
        <div key={at} className={styles.sending}>
          <span>{one.file.name}</span>
          {one.error ? (
            <Refused error={one.error} />
          ) : (
            <Progress percent={Math.floor(one.share * 100)} aria-label={one.file.name} />
          )}
        </div>
      ))}
    </Panel>
  );
}

function Looking({ ids }: { ids: readonly string[] }) {
  const { t } = useTranslation("collect");
  const jobs = useLooks(ids);
  const results = jobs.map((job) => (job.data?.result ?? null) as { file_id: string; preview_id: string } | null);
  const ready = results.filter((one) => one !== null);
  const previews = usePreviews(ready.map((one) => one.preview_id));
  const seen = previews.map((one) => one.data).filter((one) => one !== undefined);
  const refused = [...jobs, ...previews].find((one) => one.error)?.error;
  if (refused) return <Refused error={refused} />;
  if (ready.length === ids.length && seen.length === ids.length) {
    return <Looked name={ids.join(",")} files={ready.map((one) => one.file_id)} previews={seen} />;
  }
  return (
    <Panel>
      {jobs.map(({ data }, at) =>
        data && (data.state === "failed" || data.state === "cancelled") ? (
          <JobFailed key={ids[at]} job={data} />
        ) : (
          data && <JobBar key={ids[at]} job={data} title={t("import.looking")} />
        ),
      )}
    </Panel>
  );
}
