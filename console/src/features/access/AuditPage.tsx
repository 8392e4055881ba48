/** Who did what, and when. */
import { DownloadOutlined } from "@ant-design/icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useLater } from "@/base/useLater";
import { useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Answer, Empty } from "@/shell/Answer";
import { Grid } from "@/shell/Grid";
import { Page, Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";

type Line = components["schemas"]["EntryBody"];

const PAGE = 50;

export function AuditPage() {
  const { t } = useTranslation(["access", "shell"]);
  const say = useSaying();
  const [typed, setTyped] = useState("");
  const about = useLater(typed.trim(), 300) || null;
  const lines = useInfiniteQuery({
    queryKey: ["audit", about],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/audit", { params: { query: { before: pageParam, limit: PAGE, about } } })),
    getNextPageParam: (page) => page.next,
  });
  return (
    <Page
      title={t("settings.audit")}
      about={t("audit.about")}
      actions={
        <Button icon={<DownloadOutlined />} href="/api/audit.csv">
          {t("audit.export")}
        </Button>
      }
    >
      <Panel>
        <Input
          allowClear
          className={styles.narrow ?? ""}
          placeholder={t("audit.find")}
          aria-label={t("audit.find")}
          maxLength={200}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
        <Answer of={lines} height={480}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0) return <Empty title={t("audit.none")} />;
            return (
              <>
                <Grid<Line>
                  label={t("settings.audit")}
                  rowKey="seq"
                  size="small"
                  dataSource={items}
                  expandable={{
                    expandedRowRender: (line) => <Changes line={line} />,
                    rowExpandable: (line) => Boolean(line.before ?? line.after),
                  }}
                  columns={[
                    { title: t("audit.when"), render: (_, line) => say.moment(line.at) },
                    { title: t("audit.who"), render: (_, line) => line.who || t("audit.nobody") },
                    { title: t("audit.what"), dataIndex: "action" },
                    {
                      title: t("audit.object"),
                      render: (_, line) => <span className={styles.object}>{written(line.object)}</span>,
                    },
                  ]}
                />
                {lines.hasNextPage && (
                  <p>
                    <Button loading={lines.isFetchingNextPage} onClick={() => void lines.fetchNextPage()}>
                      {t("shell:more")}
                    </Button>
                  </p>
                )}
              </>
            );
          }}
        </Answer>
      </Panel>
    </Page>
  );
}

function Changes({ line }: { line: Line }) {
  const { t } = useTranslation("access");
  return (
    <pre className={styles.changes}>
      {line.before && `${t("audit.before")} ${JSON.stringify(line.before, null, 1)}\n`}
      {line.after && `${t("audit.after")} ${JSON.stringify(line.after, null, 1)}\n`}
      {line.request_id && t("audit.request", { id: line.request_id })}
    </pre>
  );
}

function written(object: Line["object"]): string {
  return Object.entries(object)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
}
