/** Groups of customers who buy alike: looked for by a job, each with a rule that can be kept as a segment. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Empty, Refused } from "@/shell/Answer";
import type { ChartOption } from "@/shell/Chart";
import { Figure } from "@/shell/Figure";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";
import { hasEnded, useJob, type Job } from "@/shell/useJob";

import { apartOf, groupsOf, NUMBERS, scoreOf, type Group, type Groups } from "./groups";
import { LATEST_GROUPS, useLatestGroups } from "./queries";
import styles from "./Segments.module.css";
import { Traits } from "./Traits";

/** As many differences of each group as tell what it is like. */
const TRAITS_FIRST = 5;

export function GroupsPage() {
  const { t } = useTranslation("segments");
  const may = useMay();
  const [address] = useSearchParams();
  const asked = address.get("job");
  // Who comes back finds what they had found.
  const latest = useLatestGroups(asked === null);
  const id = asked ?? latest.data?.items[0]?.job_id ?? null;
  const job = useJob(id);
  const goesOn = job.data !== undefined && !hasEnded(job.data);
  return (
    <Page
      title={t("groups.title")}
      about={t("groups.about")}
      actions={<LinkButton to="/segments">{t("groups.back")}</LinkButton>}
    >
      {may("segments.write") && !goesOn && <Begin />}
      {id === null ? (
        <Answer of={latest} height={320}>
          {() => <Empty title={t("groups.none")}>{t("groups.none_how")}</Empty>}
        </Answer>
      ) : (
        <Answer of={job} height={320}>
          {(one) => <Told job={one} />}
        </Answer>
      )}
    </Page>
  );
}

const WHATEVER = 0;

function Begin() {
  const { t } = useTranslation("segments");
  const queries = useQueryClient();
  const [, setAddress] = useSearchParams();
  const [wanted, setWanted] = useState(WHATEVER);
  const begin = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/segments/clusters", { body: wanted === WHATEVER ? {} : { clusters: wanted } })),
    onSuccess: ({ job_id: job }) => {
      void queries.invalidateQueries({ queryKey: LATEST_GROUPS });
      setAddress({ job });
    },
  });
  return (
    <Panel>
      <div className={styles.begin}>
        <div className={styles.field}>
          <span aria-hidden="true">{t("groups.number")}</span>
          <Select
            aria-label={t("groups.number")}
            value={wanted}
            options={[
              { value: WHATEVER, label: t("groups.whatever") },
              ...NUMBERS.map((value) => ({ value, label: t("groups.count", { count: value }) })),
            ]}
            onChange={setWanted}
          />
        </div>
        <Button
          type="primary"
          loading={begin.isPending}
          onClick={() => {
            begin.mutate();
          }}
        >
          {t("groups.find")}
        </Button>
      </div>
      {begin.error && <Refused error={begin.error} />}
    </Panel>
  );
}

function Told({ job }: { job: Job }) {
  const { t } = useTranslation("segments");
  const found = groupsOf(job);
  if (!hasEnded(job))
    return (
      <Panel>
        <JobBar job={job} title={t("groups.finding")} />
      </Panel>
    );
  if (found) return <Found job={job} found={found} />;
  return (
    <Panel>
      <JobFailed job={job} />
      {job.problem?.code === "segments.too_few_customers" && (
        <p>
          {t("groups.few_do")} <Link to="/data/import">{t("groups.few_import")}</Link>
        </p>
      )}
      {job.state === "failed" && job.problem?.code !== "segments.too_few_customers" && <p>{t("groups.failed_do")}</p>}
    </Panel>
  );
}

function Found({ job, found }: { job: Job; found: Groups }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const score = scoreOf(found);
  return (
    <>
      {job.asked.language !== say.language && <Alert type="info" showIcon title={t("groups.other_language")} />}
      <Panel title={t("groups.count", { count: found.chosen })}>
        <p className={styles.state}>
          {t("groups.of", { number: say.number(found.customers), moment: say.moment(found.as_of) })}
        </p>
        {score !== null && <p>{t(`groups.apart.${apartOf(score)}`, { score: say.number(score, 3) })}</p>}
      </Panel>
      {found.tried.length > 1 && <Tried found={found} />}
      {found.clusters.map((group, at) => (
        <One
          key={at}
          group={group}
          others={found.customers - group.customers}
          keep={`?found=${job.job_id}&group=${at}`}
        />
      ))}
      <p className={styles.about}>{t("traits.how")}</p>
    </>
  );
}

function Tried({ found }: { found: Groups }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { tried, chosen } = found;
  const option = useMemo(
    (): ChartOption => ({
      legend: { show: false },
      grid: { top: 12 },
      xAxis: { type: "category", data: tried.map((one) => say.number(one.clusters)) },
      yAxis: { type: "value", axisLabel: { formatter: (value: number) => say.number(value, 2) } },
      series: [
        {
          type: "bar",
          name: t("groups.silhouette"),
          barMaxWidth: 48,
          data: tried.map((one) => ({
            value: one.score,
            itemStyle: { color: "#2f7fb5", opacity: one.clusters === chosen ? 1 : 0.35 },
          })),
        },
      ],
    }),
    [tried, chosen, say, t],
  );
  return (
    <Figure
      title={t("groups.tried")}
      how={t("groups.tried_how")}
      name="segment-groups"
      height={180}
      option={option}
      columns={[
        {
          title: t("groups.number"),
          cells: tried.map((one) => one.clusters),
          said: tried.map((one) =>
            one.clusters === chosen ? t("groups.taken", { number: one.clusters }) : say.number(one.clusters),
          ),
        },
        {
          title: t("groups.silhouette"),
          cells: tried.map((one) => one.score),
          said: tried.map((one) => say.number(one.score, 3)),
        },
      ]}
    />
  );
}

function One({ group, others, keep }: { group: Group; others: number; keep: string }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const may = useMay();
  const { name, customers, share, agreement } = group;
  return (
    <Panel
      title={name}
      actions={
        may("segments.write") && (
          <LinkButton to={`/segments/new${keep}`} aria-label={t("groups.keep_one", { name })}>
            {t("groups.keep")}
          </LinkButton>
        )
      }
    >
      <div className={styles.beside}>
        <section>
          <p className={styles.state}>
            <strong>{t("page.count", { count: customers, number: say.number(customers) })}</strong>
            <small>{t("groups.share", { share: say.share(share) })}</small>
          </p>
          <h3 className={styles.sub}>{t("groups.rule")}</h3>
          <p className={styles.text}>{group.text}</p>
          <p className={styles.small}>{t("groups.agreement", { share: say.share(agreement) })}</p>
        </section>
        <section>
          <h3 className={styles.sub}>{t("page.part.profile")}</h3>
          <Traits label={name} traits={group.traits} one={customers} other={others} first={TRAITS_FIRST} />
        </section>
      </div>
    </Panel>
  );
}
