/** Earlier imports, everybody's. */
import { Button, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useSaying } from "@/base/useSaying";
import { Answer, Empty } from "@/shell/Answer";
import { Grid } from "@/shell/Grid";
import { Panel } from "@/shell/Page";

import { KINDS, useImports, type Import } from "./imports";

const COLOURS = { queued: "default", running: "processing", done: "success", failed: "error", cancelled: "default" };

export function Imports() {
  const { t } = useTranslation(["collect", "shell"]);
  const say = useSaying();
  const imports = useImports();
  const kindOf = (one: Import) => KINDS.find((kind) => kind === one.asked.kind);
  return (
    <Panel title={t("imports.title")}>
      <Answer of={imports} height={160}>
        {({ pages }) => {
          const found = pages.flatMap((page) => page.items);
          if (found.length === 0) return <Empty title={t("imports.none")}>{t("imports.none_how")}</Empty>;
          return (
            <>
              <Grid<Import>
                label={t("imports.title")}
                size="middle"
                rowKey="job_id"
                dataSource={found}
                columns={[
                  {
                    title: t("imports.files"),
                    render: (_, one) => <Link to={`/data/imports/${one.job_id}`}>{namesOf(one)}</Link>,
                  },
                  {
                    title: t("import.kind"),
                    render: (_, one) => {
                      const kind = kindOf(one);
                      return kind ? t(`import.kinds.${kind}`) : "";
                    },
                  },
                  {
                    title: t("imports.state"),
                    render: (_, one) => (
                      <>
                        <Tag color={COLOURS[one.state]}>{t(`shell:job.${one.state}`)}</Tag>
                        {one.asked.dry_run === true && <Tag>{t("imports.tried")}</Tag>}
                      </>
                    ),
                  },
                  {
                    title: t("imports.left_out"),
                    align: "right",
                    render: (_, one) => say.number(one.left_out.reduce((sum, reason) => sum + reason.rows, 0)),
                  },
                  { title: t("imports.who"), dataIndex: "who" },
                  { title: t("imports.when"), render: (_, one) => say.ago(one.created_at) },
                ]}
              />
              {imports.hasNextPage && (
                <p>
                  <Button loading={imports.isFetchingNextPage} onClick={() => void imports.fetchNextPage()}>
                    {t("shell:more")}
                  </Button>
                </p>
              )}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}

function namesOf(one: Import): string {
  const files = one.asked.files as { name: string }[] | undefined;
  return (files ?? []).map((file) => file.name).join(", ");
}
