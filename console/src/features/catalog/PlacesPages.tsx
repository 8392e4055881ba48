/** Where the brand sells: its stores and channels, stated and changed. */
import { useQueryClient } from "@tanstack/react-query";
import { Button, Checkbox, Form, Input, Select, Tag, type TableColumnsType } from "antd";
import { useState, type ComponentType, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { api } from "@/platform/client";
import { meaning, tagged, type Tagged } from "@/platform/editing";
import { Empty } from "@/shell/Answer";
import { EditDialog } from "@/shell/EditDialog";
import { Page, Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";
import { Unseen } from "@/shell/Unseen";
import { useTelling } from "@/shell/undo";

import { useChannels, useStores, type Channel, type Store } from "./queries";

const KINDS: Channel["kind"][] = ["shop", "app", "mini_program", "marketplace", "live", "social", "store", "other"];

export function StoresPage() {
  const { t } = useTranslation(["catalog", "shell"]);
  const none = t("shell:unknown");
  return (
    <Places<Store>
      list="stores"
      of={useStores()}
      place="store_id"
      columns={[
        { title: t("region"), render: (_, store) => store.region ?? none },
        { title: t("city"), render: (_, store) => [store.city, store.district].filter(Boolean).join(" · ") || none },
        { title: t("time_zone"), render: (_, store) => store.time_zone ?? none },
      ]}
      dialog={EditStore}
    />
  );
}

export function ChannelsPage() {
  const { t } = useTranslation("catalog");
  const names = useNames();
  return (
    <Places<Channel>
      list="channels"
      of={useChannels()}
      place="channel"
      columns={[{ title: t("kind"), render: (_, channel) => names("channel_kinds", channel.kind) }]}
      dialog={EditChannel}
    />
  );
}

interface PlacesProps<Place extends object> {
  list: "stores" | "channels";
  of: Parameters<typeof Rows<Place>>[0]["of"];
  place: keyof Place & string;
  /** What only this kind has. */
  columns: TableColumnsType<Place>;
  dialog: ComponentType<EditProps>;
}

function Places<Place extends Store | Channel>({ list, of, place, columns, dialog: Dialog }: PlacesProps<Place>) {
  const { t } = useTranslation(["catalog", "shell"]);
  const may = useMay();
  const [edited, setEdited] = useState<Pick<EditProps, "id" | "title"> | null>(null);
  const writes = may("catalog.write");
  return (
    <Page
      title={t(`${list}.title`)}
      about={t(`${list}.about`)}
      actions={
        writes && (
          <Button
            type="primary"
            onClick={() => {
              setEdited({ id: null, title: t(`${list}.make`) });
            }}
          >
            {t(`${list}.make`)}
          </Button>
        )
      }
    >
      <Panel>
        <Rows<Place>
          label={t(`${list}.title`)}
          of={of}
          rowKey={place}
          empty={<Empty title={t(`${list}.none`)}>{t(`${list}.none_how`)}</Empty>}
          columns={[
            { title: t("number"), dataIndex: place },
            {
              title: t("name"),
              render: (_, one) => (
                <>
                  {one.name ?? t("shell:unknown")} {!one.active && <Tag>{t("inactive")}</Tag>}
                </>
              ),
            },
            ...columns,
            {
              title: <Unseen>{t("shell:actions")}</Unseen>,
              render: (_, one) => {
                const id = one[place] as string;
                return (
                  writes && (
                    <Button
                      size="small"
                      aria-label={`${t("shell:edit")} ${one.name ?? id}`}
                      onClick={() => {
                        setEdited({ id, title: one.name ?? id });
                      }}
                    >
                      {t("shell:edit")}
                    </Button>
                  )
                );
              },
            },
          ]}
        />
      </Panel>
      {edited && (
        <Dialog
          {...edited}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

function textOf(given: string | null | undefined): string | null {
  const text = given?.trim() ?? "";
  return text === "" ? null : text;
}

interface EditProps {
  /** The identifier of what is changed; null to make one. */
  id: string | null;
  title: string;
  close: () => void;
}

function EditStore({ id, ...dialog }: EditProps) {
  const { t } = useTranslation("catalog");
  const put = (given: Store, tag: string | null) =>
    tagged(
      api.PUT("/api/stores/{store_id}", {
        params: { path: { store_id: given.store_id.trim() }, header: meaning(tag) },
        body: {
          name: textOf(given.name),
          region: textOf(given.region),
          city: textOf(given.city),
          district: textOf(given.district),
          time_zone: given.time_zone ?? null,
          active: given.active,
          attributes: given.attributes,
        },
      }),
    );
  const read = () => tagged(api.GET("/api/stores/{store_id}", { params: { path: { store_id: id ?? "" } } }));
  return (
    <EditPlace<Store> list="stores" place="store_id" id={id} read={read} put={put} {...dialog}>
      <Form.Item name="region" label={t("region")} extra={t("stores.region_what")}>
        <Input maxLength={500} />
      </Form.Item>
      <Form.Item name="city" label={t("city")} extra={t("stores.city_what")}>
        <Input maxLength={500} />
      </Form.Item>
      <Form.Item name="district" label={t("district")}>
        <Input maxLength={500} />
      </Form.Item>
      <Form.Item name="time_zone" label={t("time_zone")}>
        <Select
          allowClear
          showSearch
          options={Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone }))}
        />
      </Form.Item>
    </EditPlace>
  );
}

function EditChannel({ id, ...dialog }: EditProps) {
  const { t } = useTranslation("catalog");
  const names = useNames();
  const put = (given: Channel, tag: string | null) =>
    tagged(
      api.PUT("/api/channels/{channel}", {
        params: { path: { channel: given.channel.trim() }, header: meaning(tag) },
        body: { name: textOf(given.name), kind: given.kind, active: given.active, attributes: given.attributes },
      }),
    );
  const read = () => tagged(api.GET("/api/channels/{channel}", { params: { path: { channel: id ?? "" } } }));
  return (
    <EditPlace<Channel> list="channels" place="channel" id={id} read={read} put={put} {...dialog}>
      <Form.Item name="kind" label={t("kind")} initialValue="other">
        <Select options={KINDS.map((kind) => ({ value: kind, label: names("channel_kinds", kind) }))} />
      </Form.Item>
    </EditPlace>
  );
}

interface EditPlaceProps<Place> extends EditProps {
  list: "stores" | "channels";
  /** The field that says which it is, and cannot be changed. */
  place: keyof Place & string;
  read: () => Promise<Tagged<Place>>;
  put: (given: Place, tag: string | null) => Promise<Tagged<unknown>>;
  children: ReactNode;
}

function EditPlace<Place extends Store | Channel>(props: EditPlaceProps<Place>) {
  const { list, place, id, title, read, put, close, children } = props;
  const { t } = useTranslation(["catalog", "shell"]);
  const tell = useTelling();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: [list] });
  return (
    <EditDialog<Place, Place>
      title={title}
      of={id === null ? null : { name: [list, id], read }}
      begin={(before) => before ?? ({ active: true } as Partial<Place>)}
      save={async (given, before) => {
        const made = await put({ ...given, attributes: before?.thing.attributes ?? {} }, before?.tag ?? null);
        await again();
        tell(t("shell:saved"), { back: before && (() => put(before.thing, made.tag).then(again)) });
      }}
      close={close}
      height={320}
    >
      {(_, before) => (
        <>
          <Form.Item
            name={place as never}
            label={t("number")}
            extra={before ? null : t("number_what")}
            rules={[{ required: true, whitespace: true, message: t("shell:required") }]}
          >
            <Input autoFocus={!before} disabled={before !== null} maxLength={200} />
          </Form.Item>
          <Form.Item name="name" label={t("name")}>
            <Input autoFocus={before !== null} maxLength={500} />
          </Form.Item>
          {children}
          <Form.Item name="active" valuePropName="checked">
            <Checkbox>{t("active")}</Checkbox>
          </Form.Item>
        </>
      )}
    </EditDialog>
  );
}
