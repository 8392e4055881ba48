/** Where the brand sells: its stores and channels, stated and changed. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Checkbox, Form, Input, Modal, Select, Tag } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Empty, Refused } from "@/shell/Answer";
import { Page } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import { useChannels, useStores, type Channel, type Store } from "./queries";
import { Rows } from "./Rows";

const KINDS: Channel["kind"][] = ["shop", "app", "mini_program", "marketplace", "live", "social", "store", "other"];

export function StoresPage() {
  const { t } = useTranslation(["catalog", "shell"]);
  const may = useMay();
  const stores = useStores();
  const [edited, setEdited] = useState<Store | "new" | null>(null);
  const writes = may("catalog.write");
  const none = t("shell:unknown");
  return (
    <Page
      title={t("stores.title")}
      about={t("stores.about")}
      actions={
        writes && (
          <Button
            type="primary"
            onClick={() => {
              setEdited("new");
            }}
          >
            {t("stores.make")}
          </Button>
        )
      }
    >
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
          {
            title: "",
            render: (_, store) =>
              writes && (
                <Change
                  what={store.name ?? store.store_id}
                  change={() => {
                    setEdited(store);
                  }}
                />
              ),
          },
        ]}
      />
      {edited && (
        <EditStore
          store={edited === "new" ? null : edited}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

export function ChannelsPage() {
  const { t } = useTranslation(["catalog", "shell"]);
  const names = useNames();
  const may = useMay();
  const channels = useChannels();
  const [edited, setEdited] = useState<Channel | "new" | null>(null);
  const writes = may("catalog.write");
  const none = t("shell:unknown");
  return (
    <Page
      title={t("channels.title")}
      about={t("channels.about")}
      actions={
        writes && (
          <Button
            type="primary"
            onClick={() => {
              setEdited("new");
            }}
          >
            {t("channels.make")}
          </Button>
        )
      }
    >
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
          {
            title: "",
            render: (_, channel) =>
              writes && (
                <Change
                  what={channel.name ?? channel.channel}
                  change={() => {
                    setEdited(channel);
                  }}
                />
              ),
          },
        ]}
      />
      {edited && (
        <EditChannel
          channel={edited === "new" ? null : edited}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

function Change({ what, change }: { what: string; change: () => void }) {
  const { t } = useTranslation("shell");
  return (
    <Button size="small" aria-label={`${t("edit")} ${what}`} onClick={change}>
      {t("edit")}
    </Button>
  );
}

function textOf(given: string | null | undefined): string | null {
  const text = given?.trim() ?? "";
  return text === "" ? null : text;
}

function EditStore({ store, close }: { store: Store | null; close: () => void }) {
  const { t } = useTranslation("catalog");
  const put = ({ store_id: id, ...rest }: Store) =>
    answer(
      api.PUT("/api/stores/{store_id}", {
        params: { path: { store_id: id.trim() } },
        body: {
          name: textOf(rest.name),
          region: textOf(rest.region),
          city: textOf(rest.city),
          time_zone: rest.time_zone ?? null,
          active: rest.active,
          attributes: store?.attributes ?? {},
        },
      }),
    );
  return (
    <Edit<Store>
      title={store ? (store.name ?? store.store_id) : t("stores.make")}
      id="store_id"
      before={store}
      begin={store ?? { active: true }}
      put={put}
      list="stores"
      close={close}
    >
      <Form.Item name="region" label={t("region")} extra={t("stores.region_what")}>
        <Input maxLength={500} />
      </Form.Item>
      <Form.Item name="city" label={t("city")}>
        <Input maxLength={500} />
      </Form.Item>
      <Form.Item name="time_zone" label={t("time_zone")}>
        <Select
          allowClear
          showSearch
          options={Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone }))}
        />
      </Form.Item>
    </Edit>
  );
}

function EditChannel({ channel, close }: { channel: Channel | null; close: () => void }) {
  const { t } = useTranslation("catalog");
  const names = useNames();
  const put = ({ channel: id, ...rest }: Channel) =>
    answer(
      api.PUT("/api/channels/{channel}", {
        params: { path: { channel: id.trim() } },
        body: {
          name: textOf(rest.name),
          kind: rest.kind,
          active: rest.active,
          attributes: channel?.attributes ?? {},
        },
      }),
    );
  return (
    <Edit<Channel>
      title={channel ? (channel.name ?? channel.channel) : t("channels.make")}
      id="channel"
      before={channel}
      begin={channel ?? { active: true, kind: "other" }}
      put={put}
      list="channels"
      close={close}
    >
      <Form.Item name="kind" label={t("kind")}>
        <Select options={KINDS.map((kind) => ({ value: kind, label: names("channel_kinds", kind) }))} />
      </Form.Item>
    </Edit>
  );
}

interface EditProps<Place> {
  title: string;
  /** The field that says which it is, and cannot be changed. */
  id: "store_id" | "channel";
  before: Place | null;
  begin: Partial<Place>;
  put: (given: Place) => Promise<unknown>;
  list: string;
  close: () => void;
  children: ReactNode;
}

function Edit<Place extends object>({ title, id, before, begin, put, list, close, children }: EditProps<Place>) {
  const { t } = useTranslation(["catalog", "shell"]);
  const tell = useTelling();
  const queries = useQueryClient();
  const [form] = Form.useForm<Place>();
  const again = () => queries.invalidateQueries({ queryKey: [list] });
  const save = useMutation({
    mutationFn: put,
    onSuccess: async () => {
      await again();
      close();
      const back = before && (() => put(before).then(again));
      tell(t("shell:saved"), { back });
    },
  });
  return (
    <Modal
      open
      title={title}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: save.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Form<Place>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={begin}
        onFinish={(given) => {
          save.mutate(given);
        }}
      >
        <Form.Item
          name={id as never}
          label={t("number")}
          extra={before ? null : t("number_what")}
          rules={[{ required: true, whitespace: true, message: t("shell:required") }]}
        >
          <Input autoFocus={!before} disabled={before !== null} maxLength={200} />
        </Form.Item>
        <Form.Item name={"name" as never} label={t("name")}>
          <Input autoFocus={before !== null} maxLength={500} />
        </Form.Item>
        {children}
        <Form.Item name={"active" as never} valuePropName="checked">
          <Checkbox>{t("active")}</Checkbox>
        </Form.Item>
      </Form>
      {save.error && <Refused error={save.error} />}
    </Modal>
  );
}
