/** Customers as a file: asked for, watched while a worker makes it, saved, and those that were made before. */
import { DownloadOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Drawer, Radio } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { Answer, Refused } from "@/shell/Answer";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { hasEnded, useJob, type Job } from "@/shell/useJob";

import { ChosenColumns } from "./ChosenColumns";
import styles from "./CustomersPage.module.css";
import { withoutOrder, type Column } from "./viewing";
import type { ListBody } from "./wanted";

const EXPORTS = ["exports"];

interface Props {
  whom: { query: ListBody } | { customer_ids: string[] };
  /** How many that are, as the list says it. */
  said: string;
  columns: readonly Column[];
  order: Pick<ListBody, "sort" | "descending">;
  close: () => void;
}

export function Export({ whom, said, columns, order, close }: Props) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const queries = useQueryClient();
  const [format, setFormat] = useState<"xlsx" | "csv">("xlsx");
  const [chosen, setChosen] = useState<readonly Column[]>(columns);
  const [id, setId] = useState<string | null>(null);
  const job = useJob(id).data;
  const begin = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/customers/exports", {
          body: {
            ...(withoutOrder(whom) as { customer_ids: string[] }),
            columns: [...chosen],
            format,
            sort: order.sort ?? "value",
            descending: order.descending ?? true,
          },
        }),
      ),
    onSuccess: ({ job_id: made }) => {
      setId(made);
    },
  });
  const ended = hasEnded(job);
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: EXPORTS });
  }, [ended, queries]);
  return (
    <Drawer open size={420} title={t("export.title")} onClose={close}>
      <p>{t("export.what", { said })}</p>
      <Radio.Group
        aria-label={t("export.format")}
        value={format}
        options={[
          { value: "xlsx", label: "Excel (XLSX)" },
          { value: "csv", label: "CSV" },
        ]}
        onChange={(event) => {
          setFormat(event.target.value as "xlsx" | "csv");
        }}
      />
      <h3 className={styles.sub}>{t("customers.columns")}</h3>
      <ChosenColumns columns={chosen} choose={setChosen} />
      <p className={styles.care}>{t("export.care")}</p>
      {begin.error && <Refused error={begin.error} />}
      {job && !ended && <JobBar job={job} title={t("export.title")} />}
      {job?.state === "failed" && <JobFailed job={job} />}
      {(!job || ended) && (
        <Button
          block
          type={job?.state === "done" ? "default" : "primary"}
          loading={begin.isPending || (id !== null && !job)}
          onClick={() => {
            setId(null);
            begin.mutate();
          }}
        >
          {t("export.begin")}
        </Button>
      )}
      <h3 className={styles.sub}>{t("export.mine")}</h3>
      <Mine />
    </Drawer>
  );
}

/** One's own exports, the latest first; each as long as its file is kept. */
function Mine() {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const exports = useQuery({
    queryKey: EXPORTS,
    queryFn: () => answer(api.GET("/api/customers/exports", { params: { query: { limit: 20 } } })),
  });
  return (
    <Answer of={exports} height={80}>
      {({ items }) => {
        const done = items.filter((one) => one.state === "done");
        if (done.length === 0) return <p className={styles.care}>{t("export.none")}</p>;
        return (
          <ul className={styles.exports}>
            {done.map((one) => (
              <li key={one.job_id}>
                <span>
                  {t("export.count", { count: resultOf(one).customers, number: say.number(resultOf(one).customers) })}
                  <small>
                    {t("export.until", { ago: say.ago(one.created_at), day: say.day(resultOf(one).expires_at) })}
                  </small>
                </span>
                {Date.parse(resultOf(one).expires_at) > Date.now() && (
                  <Button
                    size="small"
                    icon={<DownloadOutlined />}
                    href={`/api/customers/exports/${one.job_id}/file`}
                    download={resultOf(one).name}
                    aria-label={t("export.save_one", { name: resultOf(one).name })}
                  >
                    {t("export.save")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        );
      }}
    </Answer>
  );
}

interface Result {
  name: string;
  customers: number;
  expires_at: string;
}

function resultOf(job: Job): Result {
  return job.result as unknown as Result;
}
