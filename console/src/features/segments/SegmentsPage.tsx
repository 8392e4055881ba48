/** All segments: whom each means, how many that are, and whether it is up to date. */
import { DeleteOutlined, EditOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { customersAt } from "@/features/lifecycle/wanted";
import { api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { Answer, Empty } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { LinkButton } from "@/shell/LinkButton";
import { Page } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import { reading, useAgain, useSegments, type Segment } from "./queries";
import styles from "./Segments.module.css";
import { Sparkline } from "./Sparkline";
import { Templates } from "./Templates";

export function SegmentsPage() {
  const { t } = useTranslation("segments");
  const may = useMay();
  const segments = useSegments();
  const writes = may("segments.write");
  const [choosing, setChoosing] = useState(false);
  const make = writes && (
    <>
      <Button
        onClick={() => {
          setChoosing(true);
        }}
      >
        {t("list.template")}
      </Button>
      <LinkButton type="primary" icon={<PlusOutlined />} to="/segments/new">
        {t("list.make")}
      </LinkButton>
    </>
  );
  return (
    <Page
      title={t("list.title")}
      about={t("list.about")}
      actions={
        <>
          <LinkButton to="/segments/groups">{t("groups.title")}</LinkButton>
          <LinkButton to="/segments/lists">{t("list.lists")}</LinkButton>
          {make}
        </>
      }
    >
      {choosing && (
        <Templates
          close={() => {
            setChoosing(false);
          }}
        />
      )}
      <Answer of={segments} height={480}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t("list.none")} action={make}>
              {t("list.none_how")}
            </Empty>
          ) : (
            <ul className={styles.segments}>
              {items.map((one) => (
                <Row key={one.segment_id} segment={one} writes={writes} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Page>
  );
}

function Row({ segment, writes }: { segment: Segment; writes: boolean }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { segment_id: id, name } = segment;
  return (
    <li>
      <div className={styles.titles}>
        <Link to={`/segments/${id}`} className={styles.name ?? ""}>
          {name}
        </Link>
        {segment.failed && <Tag color="error">{t("list.failed")}</Tag>}
        <p>{segment.text}</p>
        {segment.failed && <p className={styles.failed}>{t("list.failed_do")}</p>}
      </div>
      <Sparkline segment={id} name={name} />
      <div className={styles.figures}>
        {segment.customers !== null && (
          <Link to={customersAt({ segment: id })} className={styles.count ?? ""}>
            {t("page.count", { count: segment.customers, number: say.number(segment.customers) })}
          </Link>
        )}
        <small>{segment.built_at ? `${t("list.built")} ${say.moment(segment.built_at)}` : t("list.not_built")}</small>
      </div>
      {writes && (
        <div className={styles.actions}>
          <LinkButton
            type="text"
            icon={<EditOutlined />}
            to={`/segments/${id}/edit`}
            aria-label={t("list.edit_one", { name })}
          />
          <Archive segment={segment} />
        </div>
      )}
    </li>
  );
}

/** What is used by another segment is not archived; the refusal says by which. */
export function Archive({ segment, done }: { segment: Segment; done?: () => Promise<void> }) {
  const { t } = useTranslation(["segments", "shell"]);
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const tell = useTelling();
  const again = useAgain();
  const { segment_id, name } = segment;
  const archive = async () => {
    const { tag } = await reading(segment_id).read();
    await api.DELETE("/api/segments/{segment_id}", { params: { path: { segment_id }, header: meaning(tag) } });
    tell(t("list.archived", { name }));
    await done?.();
    await again(segment_id);
  };
  return (
    <Button
      type="text"
      danger
      icon={<DeleteOutlined />}
      aria-label={t("list.archive_one", { name })}
      onClick={() => {
        void modal.confirm({
          title: t("list.archive_title", { name }),
          content: t("list.archive_what"),
          okText: t("list.archive"),
          okButtonProps: { danger: true },
          cancelText: t("shell:cancel"),
          onOk: () => attempt(archive),
        });
      }}
    />
  );
}
