/** Who entered a segment and who left it, the latest first. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";

import { Person } from "./Person";
import { useChanges } from "./queries";

export function ChangesPart({ id }: { id: string }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const changes = useChanges(id);
  return (
    <Panel title={t("history.title")} about={t("history.about")}>
      <Rows
        label={t("history.title")}
        of={changes}
        // At one moment somebody enters or leaves once.
        rowKey={(one) => `${one.customer_id} ${one.at}`}
        columns={[
          { title: t("history.at"), render: (_, one) => say.moment(one.at) },
          { title: t("members.customer"), render: (_, one) => <Person customer={one.customer_id} /> },
          {
            title: t("history.what"),
            render: (_, one) => (
              <Tag color={one.entered ? "success" : "default"}>
                {t(one.entered ? "history.entered" : "history.left")}
              </Tag>
            ),
          },
          {
            title: t("history.why"),
            render: (_, one) =>
              one.why === "definition" ? t("history.definition", { version: one.version }) : t(`history.${one.why}`),
          },
        ]}
        empty={<Empty title={t("history.none")} />}
      />
    </Panel>
  );
}
