/** A webhook, made or changed. */
import { Checkbox, Form, Input, Select } from "antd";
import { useTranslation } from "react-i18next";

import { useMay } from "@/features/access/session";
import { useSegments } from "@/features/segments/queries";
import { answer, api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { EditDialog } from "@/shell/EditDialog";

import { reading, useAgain, type Wanted, type Webhook } from "./queries";

const KINDS: Wanted["kinds"] = ["segment.entered", "segment.left"];

interface Props {
  /** Which is changed; null to make one. */
  id: string | null;
  close: () => void;
  /** Is given the secret of one that was made. */
  made: (secret: string) => void;
}

export function EditWebhook({ id, close, made }: Props) {
  const { t } = useTranslation(["connectors", "shell"]);
  const again = useAgain();
  const required = { required: true, message: t("shell:required") };
  return (
    <EditDialog<Webhook, Required<Wanted>>
      title={id === null ? t("make") : t("change")}
      of={id === null ? null : reading(id)}
      begin={(before) =>
        before
          ? {
              name: before.name,
              url: before.url,
              kinds: before.kinds,
              segment_ids: before.segments.map((one) => one.segment_id),
              on: before.state === "on",
            }
          : { kinds: KINDS, segment_ids: [], on: true }
      }
      save={async (body, before) => {
        if (before) {
          const params = { path: { endpoint_id: before.thing.endpoint_id }, header: meaning(before.tag) };
          await api.PUT("/api/webhooks/{endpoint_id}", { params, body });
        } else made((await answer(api.POST("/api/webhooks", { body }))).secret);
        await again();
      }}
      close={close}
      height={360}
    >
      {(_, before) => (
        <>
          <Form.Item name="name" label={t("name")} rules={[{ ...required, whitespace: true }]}>
            <Input autoFocus maxLength={100} />
          </Form.Item>
          <Form.Item name="url" label={t("url")} extra={t("url_how")} rules={[required]}>
            <Input maxLength={500} placeholder="https://" inputMode="url" />
          </Form.Item>
          <Form.Item name="kinds" label={t("events")} rules={[required]}>
            <Checkbox.Group options={KINDS.map((kind) => ({ value: kind, label: t(`kinds.${kindKey(kind)}`) }))} />
          </Form.Item>
          <Segments before={before} />
          <Form.Item name="on" extra={t("on_what")} valuePropName="checked">
            <Checkbox>{t("on")}</Checkbox>
          </Form.Item>
        </>
      )}
    </EditDialog>
  );
}

/** Of which segments it is told; who may not look at segments sees and keeps those that it has. */
function Segments({ before }: { before: Webhook | null }) {
  const may = useMay();
  return may("segments.read") ? <ChosenOfAll before={before} /> : <Chosen among={before?.segments ?? []} />;
}

function ChosenOfAll({ before }: { before: Webhook | null }) {
  const all = useSegments().data?.items ?? [];
  // An archived one stays chosen until somebody takes it away.
  const gone = (before?.segments ?? []).filter((one) => all.every((there) => there.segment_id !== one.segment_id));
  return <Chosen among={[...all, ...gone]} />;
}

function Chosen({ among }: { among: readonly { segment_id: string; name: string }[] }) {
  const { t } = useTranslation("connectors");
  return (
    <Form.Item name="segment_ids" label={t("segments")} extra={t("segments_how")}>
      <Select
        mode="multiple"
        allowClear
        maxCount={100}
        placeholder={t("all_segments")}
        showSearch={{ optionFilterProp: "label" }}
        options={among.map((one) => ({ value: one.segment_id, label: one.name }))}
      />
    </Form.Item>
  );
}

/** A kind of events as the texts name it, in which a full stop leads deeper. */
export function kindKey(kind: string): "segment_entered" | "segment_left" | "webhook_test" {
  return kind.replace(".", "_") as "segment_entered";
}
