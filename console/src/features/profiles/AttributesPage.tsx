/** What the brand wants to know of its customers. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Select, Tag, type FormInstance } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { Answer } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { EditDialog } from "@/shell/EditDialog";
import { Grid } from "@/shell/Grid";
import { Page, Panel } from "@/shell/Page";
import { Unseen } from "@/shell/Unseen";

import styles from "./Customer.module.css";
import { ATTRIBUTES, ofDefinition, useDefinitions, type AttributeDefinition } from "./queries";

const TYPES = ["text", "number", "date", "boolean", "choice"] as const;
/** Known without being defined. */
const BUILT_IN = [
  "name",
  "first_name",
  "last_name",
  "nickname",
  "address",
  "city",
  "district",
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
  const [edited, setEdited] = useState<{ name: string | null } | null>(null);
  const retire = (name: string) =>
    attempt(async () => {
      const { tag } = await ofDefinition(name).read();
      await modal.confirm({
        title: t("definitions.retire_title", { name: names("attributes", name) }),
        content: t("definitions.retire_what"),
        okText: t("shell:remove"),
        okButtonProps: { danger: true },
        onOk: () =>
          attempt(async () => {
            await api.DELETE("/api/attributes/{name}", { params: { path: { name }, header: meaning(tag) } });
            await queries.invalidateQueries({ queryKey: ATTRIBUTES });
          }),
      });
    });
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
              setEdited({ name: null });
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
                  title: <Unseen>{t("shell:actions")}</Unseen>,
                  render: (_, one) =>
                    writes &&
                    !BUILT_IN.includes(one.name) && (
                      <span className={styles.row}>
                        {one.type === "choice" && (
                          <Button
                            size="small"
                            aria-label={`${t("shell:edit")} ${names("attributes", one.name)}`}
                            onClick={() => {
                              setEdited({ name: one.name });
                            }}
                          >
                            {t("shell:edit")}
                          </Button>
                        )}
                        <Button size="small" danger onClick={() => void retire(one.name)}>
                          {t("shell:remove")}
                        </Button>
                      </span>
                    ),
                },
              ]}
            />
          )}
        </Answer>
      </Panel>
      {edited && (
        <Define
          name={edited.name}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

type Given = Pick<AttributeDefinition, "name" | "type" | "personal"> & { choices?: string[] };

function Define({ name: edited, close }: { name: string | null; close: () => void }) {
  const { t } = useTranslation(["profiles", "shell"]);
  const queries = useQueryClient();
  return (
    <EditDialog<AttributeDefinition, Given>
      title={edited ?? t("definitions.make")}
      about={t("definitions.fixed")}
      of={edited === null ? null : ofDefinition(edited)}
      begin={(before) => before ?? { type: "text", personal: false }}
      save={async (given, before) => {
        const { name, type, personal } = before?.thing ?? given;
        const params = { path: { name }, header: meaning(before?.tag ?? null) };
        await api.PUT("/api/attributes/{name}", { params, body: { type, personal, choices: given.choices ?? [] } });
        await queries.invalidateQueries({ queryKey: ATTRIBUTES });
      }}
      close={close}
    >
      {(form, before) => <Fields form={form} before={before} />}
    </EditDialog>
  );
}

/** Of one that is there only the choices can be others. */
function Fields({ form, before }: { form: FormInstance<Given>; before: AttributeDefinition | null }) {
  const { t } = useTranslation(["profiles", "shell"]);
  const names = useNames();
  const type = (Form.useWatch("type", form) as Given["type"] | undefined) ?? before?.type;
  const required = { required: true, message: t("shell:required") };
  const disabled = before !== null;
  return (
    <>
      <Form.Item
        name="name"
        label={t("definitions.code")}
        extra={t("definitions.code_rule")}
        rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{0,39}$/, message: t("definitions.code_rule") }]}
      >
        <Input autoFocus={!disabled} disabled={disabled} maxLength={40} />
      </Form.Item>
      <Form.Item name="type" label={t("definitions.type")} rules={[required]}>
        <Select
          disabled={disabled}
          options={TYPES.map((one) => ({ value: one, label: names("attribute_types", one) }))}
        />
      </Form.Item>
      {type === "choice" && (
        <Form.Item name="choices" label={t("definitions.choices")} rules={[required]}>
          <Select mode="tags" autoFocus={disabled} />
        </Form.Item>
      )}
      <Form.Item name="personal" valuePropName="checked" extra={t("definitions.personal_what")}>
        <Checkbox disabled={disabled}>{t("definitions.personal")}</Checkbox>
      </Form.Item>
    </>
  );
}
