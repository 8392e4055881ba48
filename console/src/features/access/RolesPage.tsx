/** What each role may do, for whose customers, and what it sees of them. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Drawer, Form, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Answer, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";
import { useMay } from "./session";

type Role = components["schemas"]["RoleBody"];
type Seen = components["schemas"]["Seen"];

const WHERE: Role["where"][] = ["all", "region", "store", "own"];
const SEEN: Seen[] = ["clear", "masked", "hidden"];
const GROUPS = ["name", "phone", "email", "other"] as const;

export function RolesPage() {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const [edited, setEdited] = useState<Role | "new" | null>(null);
  const roles = useQuery({ queryKey: ["roles"], queryFn: () => answer(api.GET("/api/roles")) });
  const remove = (role: Role) => {
    void modal.confirm({
      title: t("roles.remove_title", { name: names("roles", role.name) }),
      okText: t("shell:remove"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/roles/{name}", { params: { path: { name: role.name } } });
          await queries.invalidateQueries({ queryKey: ["roles"] });
        }),
    });
  };
  return (
    <Page
      title={t("settings.roles")}
      about={t("roles.about")}
      actions={
        may("people.write") && (
          <Button
            type="primary"
            onClick={() => {
              setEdited("new");
            }}
          >
            {t("roles.make")}
          </Button>
        )
      }
    >
      <Answer of={roles} height={400}>
        {({ items }) =>
          items.map((role) => (
            <Panel
              key={role.name}
              title={names("roles", role.name)}
              about={
                <>
                  {t("roles.sees", { where: names("where", role.where) })}
                  {GROUPS.map((group) => ` · ${names("field_groups", group)}: ${names("seen", role.fields[group])}`)}
                </>
              }
              actions={
                role.shipped ? (
                  <Tag>{t("roles.shipped")}</Tag>
                ) : (
                  may("people.write") && (
                    <span className={styles.row}>
                      <Button
                        size="small"
                        onClick={() => {
                          setEdited(role);
                        }}
                      >
                        {t("shell:edit")}
                      </Button>
                      <Button
                        size="small"
                        danger
                        onClick={() => {
                          remove(role);
                        }}
                      >
                        {t("shell:remove")}
                      </Button>
                    </span>
                  )
                )
              }
            >
              <div className={styles.row}>
                {role.permissions.map((one) => (
                  <Tag key={one}>{names("permissions", one)}</Tag>
                ))}
              </div>
            </Panel>
          ))
        }
      </Answer>
      {edited && (
        <EditRole
          role={edited === "new" ? null : edited}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

function EditRole({ role, close }: { role: Role | null; close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const queries = useQueryClient();
  const [form] = Form.useForm<Role>();
  const known = useQuery({ queryKey: ["permissions"], queryFn: () => answer(api.GET("/api/permissions")) });
  const save = useMutation({
    mutationFn: ({ name, permissions, where, fields }: Role) => {
      const body = { permissions, where, fields };
      if (!role) return answer(api.POST("/api/roles", { body: { name, ...body } }));
      return answer(api.PUT("/api/roles/{name}", { params: { path: { name: role.name } }, body }));
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["roles"] });
      close();
    },
  });
  const begin = role ?? {
    name: "",
    permissions: ["customers.read", "own"],
    where: "all" as const,
    fields: { name: "masked" as const, phone: "masked" as const, email: "masked" as const, other: "masked" as const },
  };
  return (
    <Drawer
      open
      size={480}
      title={role ? names("roles", role.name) : t("roles.make")}
      onClose={close}
      extra={
        <Button
          type="primary"
          loading={save.isPending}
          onClick={() => {
            form.submit();
          }}
        >
          {t("shell:save")}
        </Button>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={begin}
        onFinish={(given: Role) => {
          save.mutate(given);
        }}
      >
        {!role && (
          <Form.Item
            name="name"
            label={t("roles.code")}
            extra={t("roles.code_rule")}
            rules={[{ required: true, pattern: /^[a-z][a-z0-9_]{0,39}$/, message: t("roles.code_rule") }]}
          >
            <Input autoFocus maxLength={40} />
          </Form.Item>
        )}
        <Form.Item name="where" label={t("roles.where")}>
          <Select options={WHERE.map((where) => ({ value: where, label: names("where", where) }))} />
        </Form.Item>
        {GROUPS.map((group) => (
          <Form.Item key={group} name={["fields", group]} label={names("field_groups", group)}>
            <Select options={SEEN.map((seen) => ({ value: seen, label: names("seen", seen) }))} />
          </Form.Item>
        ))}
        <Form.Item name="permissions" label={t("roles.permissions")}>
          <Checkbox.Group
            className={styles.list ?? ""}
            options={(known.data?.permissions ?? []).map((one) => ({ value: one, label: names("permissions", one) }))}
          />
        </Form.Item>
      </Form>
      {save.error && <Refused error={save.error} />}
    </Drawer>
  );
}
