/** Where the brand sells: its stores and channels. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import { Page } from "@/shell/Page";

import { useChannels, useStores, type Channel, type Store } from "./queries";
import { Rows } from "./Rows";

export function StoresPage() {
  const { t } = useTranslation(["catalog", "shell"]);
  const stores = useStores();
  const none = t("shell:unknown");
  return (
    <Page title={t("stores.title")} about={t("stores.about")}>
      <Rows<Store>
        label={t("stores.title")}
        of={stores}
        rowKey="store_id"
        empty={<Empty title={t("stores.none")}>{t("stores.none_how")}</Empty>}
        columns={[
          { title: t("number"), dataIndex: "store_id" },
          {
            title: t("name"),
            render: (_, store) => (
              <>
                {store.name ?? none} {!store.active && <Tag>{t("inactive")}</Tag>}
              </>
            ),
          },
          { title: t("region"), render: (_, store) => store.region ?? none },
          { title: t("city"), render: (_, store) => store.city ?? none },
          { title: t("time_zone"), render: (_, store) => store.time_zone ?? none },
        ]}
      />
    </Page>
  );
}

export function ChannelsPage() {
  const { t } = useTranslation(["catalog", "shell"]);
  const names = useNames();
  const channels = useChannels();
  const none = t("shell:unknown");
  return (
    <Page title={t("channels.title")} about={t("channels.about")}>
      <Rows<Channel>
        label={t("channels.title")}
        of={channels}
        rowKey="channel"
        empty={<Empty title={t("channels.none")}>{t("channels.none_how")}</Empty>}
        columns={[
          { title: t("number"), dataIndex: "channel" },
          {
            title: t("name"),
            render: (_, channel) => (
              <>
                {channel.name ?? none} {!channel.active && <Tag>{t("inactive")}</Tag>}
              </>
            ),
          },
          { title: t("kind"), render: (_, channel) => names("channel_kinds", channel.kind) },
        ]}
      />
    </Page>
  );
}
