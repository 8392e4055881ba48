/** One segment: whom it means, who is in it, how that has changed, and what it has to do with others. */
import { EditOutlined, SyncOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { Button } from "antd";
import { useEffect, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams, useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Refused } from "@/shell/Answer";
import { JobBar, JobFailed } from "@/shell/JobBar";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";
import { Sections } from "@/shell/Sections";
import { hasEnded, useJob } from "@/shell/useJob";

import { ChangesPart } from "./ChangesPart";
import { ComparePart } from "./ComparePart";
import { MembersPart } from "./MembersPart";
import { ProfilePart } from "./ProfilePart";
import { useAgain, useSegment, type Segment } from "./queries";
import styles from "./Segments.module.css";
import { Archive } from "./SegmentsPage";
import { SizesPart } from "./SizesPart";
import { UsesPart } from "./UsesPart";
import { VersionsPart } from "./VersionsPart";

const PARTS = ["members", "changes", "sizes", "profile", "compare", "versions", "uses"] as const;
type PartOfPage = (typeof PARTS)[number];

export function SegmentPage() {
  const { t } = useTranslation("segments");
  const { segment: id = "" } = useParams();
  const segment = useSegment(id);
  const may = useMay();
  const go = useNavigate();
  const found = segment.data;
  return (
    <Page
      title={found?.name ?? t("list.title")}
      actions={
        found &&
        may("segments.write") && (
          <>
            <LinkButton icon={<EditOutlined />} to={`/segments/${id}/edit`}>
              {t("list.edit")}
            </LinkButton>
            <Archive segment={found} done={async () => go("/segments")} />
          </>
        )
      }
    >
      <Answer of={segment} height={480}>
        {(one) => <Whole segment={one} />}
      </Answer>
    </Page>
  );
}

function Whole({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const [address] = useSearchParams();
  const part = PARTS.find((one) => one === address.get("part")) ?? "members";
  const shown: Record<PartOfPage, () => ReactNode> = {
    members: () => <MembersPart segment={segment} />,
    changes: () => <ChangesPart id={segment.segment_id} />,
    sizes: () => <SizesPart segment={segment} />,
    profile: () => <ProfilePart id={segment.segment_id} />,
    compare: () => <ComparePart segment={segment} />,
    versions: () => <VersionsPart segment={segment} />,
    uses: () => <UsesPart id={segment.segment_id} />,
  };
  return (
    <>
      <State segment={segment} />
      <Sections
        label={t("page.parts")}
        sections={PARTS.map((one) => ({
          to: one === "members" ? "?" : `?part=${one}`,
          label: t(`page.part.${one}`),
          current: one === part,
        }))}
      />
      {shown[part]()}
    </>
  );
}

/** How many it means as of when, and bringing that up to date. */
function State({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const may = useMay();
  const again = useAgain();
  const [address, setAddress] = useSearchParams();
  const job = useJob(address.get("job"));
  const begin = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/segments/{segment_id}/build", { params: { path: { segment_id: segment.segment_id } } })),
    onSuccess: ({ job_id: id }) => {
      const next = new URLSearchParams(address);
      next.set("job", id);
      setAddress(next, { replace: true });
    },
  });
  const ended = hasEnded(job.data);
  useEffect(() => {
    if (ended) void again();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when it has ended
  }, [ended]);
  const done = job.data?.state === "done" ? (job.data.result as unknown as Built) : null;
  const behind = segment.built_version !== null && segment.built_version !== segment.version;
  return (
    <Panel>
      <p className={styles.says}>{segment.text}</p>
      <p className={styles.state}>
        {segment.customers !== null && (
          <strong>{t("page.count", { count: segment.customers, number: say.number(segment.customers) })}</strong>
        )}
        <small>
          {segment.built_at === null
            ? t("page.not_built")
            : t("page.built", { moment: say.moment(segment.built_at), version: segment.built_version })}
          {behind && ` ${t("page.behind", { version: segment.version })}`}
        </small>
        {may("segments.write") && (!job.data || ended) && (
          <Button
            size="small"
            icon={<SyncOutlined />}
            loading={begin.isPending}
            onClick={() => {
              begin.mutate();
            }}
          >
            {t("page.build")}
          </Button>
        )}
        {done && (
          <small role="status">
            {t("page.done", {
              count: done.customers,
              number: say.number(done.customers),
              entered: say.number(done.entered),
              left: say.number(done.left),
            })}
          </small>
        )}
      </p>
      {begin.error && <Refused error={begin.error} />}
      {job.data && !ended && <JobBar job={job.data} title={t("page.building")} />}
      {job.data?.state === "failed" && <JobFailed job={job.data} />}
      {segment.failed && (
        <div className={styles.warning} role="alert">
          <strong>{t("page.failed")}</strong>
          <p>{t("page.failed_do")}</p>
        </div>
      )}
    </Panel>
  );
}

interface Built {
  customers: number;
  entered: number;
  left: number;
}
