/** What each role may do, for whose customers, and what it sees of them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Form, Input, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import type { components } from "@/platform/schema";
import { Answer } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { EditDialog } from "@/shell/EditDialog";
import { Page, Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";
import { ofRole, ROLES, type Role } from "./queries";
import { useMay } from "./session";

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
  const [edited, setEdited] = useState<{ name: string | null } | null>(null);
  const roles = useQuery({ queryKey: ROLES, queryFn: () => answer(api.GET("/api/roles")) });
  const remove = (name: string) =>
    attempt(async () => {
      const { tag } = await ofRole(name).read();
      await modal.confirm({
        title: t("roles.remove_title", { name: names("roles", name) }),
        okText: t("shell:remove"),
        okButtonProps: { danger: true },
        onOk: () =>
          attempt(async () => {
            await api.DELETE("/api/roles/{name}", { params: { path: { name }, header: meaning(tag) } });
            await queries.invalidateQueries({ queryKey: ROLES });
          }),
      });
    });
  return (
    <Page
      title={t("settings.roles")}
      about={t("roles.about")}
      actions={
        may("people.write") && (
          <Button
            type="primary"
            onClick={() => {
              setEdited({ name: null });
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
                          setEdited({ name: role.name });
                        }}
                      >
                        {t("shell:edit")}
                      </Button>
                      <Button size="small" danger onClick={() => void remove(role.name)}>
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
          name={edited.name}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Page>
  );
}

const NEW: Role = {
  name: "",
  permissions: ["customers.read", "own"],
  where: "all",
  fields: { name: "masked", phone: "masked", email: "masked", other: "masked" },
  shipped: false,
};

function EditRole({ name: edited, close }: { name: string | null; close: () => void }) {
  const { t } = useTranslation("access");
  const names = useNames();
  const queries = useQueryClient();
  const known = useQuery({ queryKey: ["permissions"], queryFn: () => answer(api.GET("/api/permissions")) });
  return (
    <EditDialog<Role, Role>
      title={edited === null ? t("roles.make") : names("roles", edited)}
      of={edited === null ? null : ofRole(edited)}
      begin={(before) => before ?? NEW}
      save={async ({ name, permissions, where, fields }, before) => {
        const body = { permissions, where, fields };
        if (before) {
          const params = { path: { name: before.thing.name }, header: meaning(before.tag) };
          await api.PUT("/api/roles/{name}", { params, body });
        } else await api.POST("/api/roles", { body: { name, ...body } });
        await queries.invalidateQueries({ queryKey: ROLES });
      }}
      close={close}
      height={480}
    >
      {(_, before) => (
        <>
          {!before && (
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
        </>
      )}
    </EditDialog>
  );
}
