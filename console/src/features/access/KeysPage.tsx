/** API keys: what programs come in with. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, InputNumber, Modal, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { Empty, Refused } from "@/shell/Answer";
import { CopyLine } from "@/shell/CopyLine";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";
import { Unseen } from "@/shell/Unseen";

import { KEYS, useKeys, useRoles, type Key } from "./queries";

export function KeysPage() {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const say = useSaying();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const keys = useKeys();
  const revoke = (key: Key) => {
    void modal.confirm({
      title: t("keys.revoke_title", { name: key.name }),
      content: t("keys.revoke_what"),
      okText: t("keys.revoke"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/keys/{key_id}", { params: { path: { key_id: key.key_id } } });
          await queries.invalidateQueries({ queryKey: KEYS });
        }),
    });
  };
  return (
    <Page
      title={t("settings.keys")}
      about={t("keys.about")}
      actions={
        <Button
          type="primary"
          onClick={() => {
            setMaking(true);
          }}
        >
          {t("keys.make")}
        </Button>
      }
    >
      <Panel>
        <Rows<Key>
          label={t("settings.keys")}
          of={keys}
          rowKey="key_id"
          height={200}
          empty={<Empty title={t("keys.none")}>{t("keys.none_how")}</Empty>}
          columns={[
            {
              title: t("name"),
              render: (_, key) => (
                <>
                  {key.name} {key.revoked_at && <Tag color="error">{t("keys.revoked")}</Tag>}
                </>
              ),
            },
            { title: t("role"), render: (_, key) => names("roles", key.role) },
            { title: t("keys.made_by"), dataIndex: "made_by" },
            { title: t("keys.until"), render: (_, key) => say.day(key.expires_at) },
            {
              title: t("keys.used"),
              render: (_, key) => (key.last_used_at ? say.ago(key.last_used_at) : t("team.never")),
            },
            {
              title: <Unseen>{t("shell:actions")}</Unseen>,
              render: (_, key) =>
                !key.revoked_at && (
                  <Button
                    size="small"
                    danger
                    onClick={() => {
                      revoke(key);
                    }}
                  >
                    {t("keys.revoke")}
                  </Button>
                ),
            },
          ]}
        />
      </Panel>
      {making && (
        <MakeKey
          close={() => {
            setMaking(false);
          }}
        />
      )}
    </Page>
  );
}

interface Wanted {
  name: string;
  role: string;
  days: number;
}

function MakeKey({ close }: { close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const roles = useRoles();
  const queries = useQueryClient();
  const [form] = Form.useForm<Wanted>();
  const make = useMutation({
    mutationFn: (wanted: Wanted) =>
      answer(api.POST("/api/keys", { body: { ...wanted, permissions: null, where: null, places: [] } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
  if (make.data) {
    return (
      <Modal
        open
        title={t("keys.made")}
        footer={<Button onClick={close}>{t("shell:close")}</Button>}
        onCancel={close}
        mask={{ closable: false }}
      >
        <p>{t("keys.once")}</p>
        <CopyLine text={make.data.secret} />
      </Modal>
    );
  }
  const required = { required: true, message: t("shell:required") };
  return (
    <Modal
      open
      title={t("keys.make")}
      okText={t("keys.make")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: make.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ role: "analyst", days: 365 }}
        onFinish={(wanted: Wanted) => {
          make.mutate(wanted);
        }}
      >
        <Form.Item name="name" label={t("keys.what_for")} rules={[required]}>
          <Input autoFocus maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={t("role")} rules={[required]}>
          <Select options={roles.map((role) => ({ value: role.name, label: names("roles", role.name) }))} />
        </Form.Item>
        <Form.Item name="days" label={t("keys.days")} rules={[required]}>
          <InputNumber min={1} max={730} precision={0} />
        </Form.Item>
      </Form>
      {make.error && <Refused error={make.error} />}
    </Modal>
  );
}
