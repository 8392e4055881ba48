/** What the brand wants to know of its customers. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Modal, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { Page, Panel } from "@/shell/Page";

import { useDefinitions, type AttributeDefinition } from "./queries";

const TYPES = ["text", "number", "date", "boolean", "choice"] as const;
/** Known without being defined. */
const BUILT_IN = [
  "name",
  "first_name",
  "last_name",
  "nickname",
  "address",
  "city",
  "province",
  "country",
  "language",
  "time_zone",
  "birth_date",
  "gender",
];

export function AttributesPage() {
  const { t } = useTranslation(["profiles", "shell"]);
  const names = useNames();
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const definitions = useDefinitions();
  const [making, setMaking] = useState(false);
  const retire = (one: AttributeDefinition) => {
    void modal.confirm({
      title: t("definitions.retire_title", { name: names("attributes", one.name) }),
      content: t("definitions.retire_what"),
      okText: t("shell:remove"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/attributes/{name}", { params: { path: { name: one.name } } });
          await queries.invalidateQueries({ queryKey: ["attributes"] });
        }),
    });
  };
  const writes = may("settings.write");
  return (
    <Page
      title={t("attributes.title")}
      about={t("definitions.about")}
      actions={
        writes && (
          <Button
            type="primary"
            onClick={() => {
              setMaking(true);
            }}
          >
            {t("definitions.make")}
          </Button>
        )
      }
    >
      <Panel>
        <Answer of={definitions} height={480}>
          {(found) => (
            <Grid<AttributeDefinition>
              label={t("attributes.title")}
              rowKey="name"
              size="middle"
              dataSource={found}
              columns={[
                { title: t("definitions.name"), render: (_, one) => names("attributes", one.name) },
                { title: t("definitions.code"), render: (_, one) => <code>{one.name}</code> },
                { title: t("definitions.type"), render: (_, one) => names("attribute_types", one.type) },
                {
                  title: t("definitions.personal"),
                  render: (_, one) => (one.personal ? <Tag color="warning">{t("shell:yes")}</Tag> : t("shell:no")),
                },
                {
                  title: t("definitions.choices"),
                  render: (_, one) => one.choices.map((choice) => <Tag key={choice}>{names("choices", choice)}</Tag>),
                },
                {
                  title: "",
                  render: (_, one) =>
                    writes &&
                    !BUILT_IN.includes(one.name) && (
                      <Button
                        size="small"
                        danger
                        onClick={() => {
                          retire(one);
                        }}
                      >
                        {t("shell:remove")}
                      </Button>
                    ),
                },
              ]}
            />
          )}
        </Answer>
      </Panel>
      {making && (
        <Define
          close={() => {
            setMaking(false);
          }}
        />
      )}
    </Page>
  );
}

interface Given {
  name: string;
  type: AttributeDefinition["type"];
  personal: boolean;
  choices?: string[];
}

function Define({ close }: { close: () => void }) {
  const { t } = useTranslation(["profiles", "shell"]);
  const names = useNames();
  const queries = useQueryClient();
  const [form] = Form.useForm<Given>();
  const type = Form.useWatch("type", form);
  const define = useMutation({
    mutationFn: ({ name, choices, ...rest }: Given) =>
      answer(
        api.PUT("/api/attributes/{name}", { params: { path: { name } }, body: { ...rest, choices: choices ?? [] } }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["attributes"] });
      close();
    },
  });
  const required = { required: true, message: t("shell:required") };
  return (
    <Modal
      open
      title={t("definitions.make")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: define.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <p>{t("definitions.fixed")}</p>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ type: "text", personal: false }}
        onFinish={(given: Given) => {
          define.mutate(given);
        }}
      >
        <Form.Item
          name="name"
          label={t("definitions.code")}
          extra={t("definitions.code_rule")}
          rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{0,39}$/, message: t("definitions.code_rule") }]}
        >
          <Input autoFocus maxLength={40} />
        </Form.Item>
        <Form.Item name="type" label={t("definitions.type")} rules={[required]}>
          <Select options={TYPES.map((one) => ({ value: one, label: names("attribute_types", one) }))} />
        </Form.Item>
        {type === "choice" && (
          <Form.Item name="choices" label={t("definitions.choices")} rules={[required]}>
            <Select mode="tags" />
          </Form.Item>
        )}
        <Form.Item name="personal" valuePropName="checked" extra={t("definitions.personal_what")}>
          <Checkbox>{t("definitions.personal")}</Checkbox>
        </Form.Item>
      </Form>
      {define.error && <Refused error={define.error} />}
    </Modal>
  );
}
