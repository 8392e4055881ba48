/** Who has an account, as what, and whether they may come in. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Checkbox, Form, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { useDoing } from "@/shell/doing";
import { EditDialog } from "@/shell/EditDialog";
import { Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";
import { Unseen } from "@/shell/Unseen";

import styles from "./Entrance.module.css";
import { LinkMade } from "./LinkMade";
import { KEYS, ofUser, TEAMS, USERS, useTeams, useUsers, type User } from "./queries";
import { RoleFields, type Placed } from "./RoleFields";
import { useMay, useMe } from "./session";

type Doing = { kind: "edit" | "disable"; user: User } | { kind: "link"; link: string };

export function Users() {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const say = useSaying();
  const me = useMe();
  const may = useMay();
  const { attempt } = useDoing();
  const change = useChange();
  const [doing, setDoing] = useState<Doing | null>(null);
  const users = useUsers();
  const teams = useTeams();
  const reset = ({ user_id }: User) =>
    attempt(async () => {
      const { link } = await answer(api.POST("/api/users/{user_id}/reset", { params: { path: { user_id } } }));
      setDoing({ kind: "link", link });
    });
  const enable = ({ user_id: id }: User) =>
    attempt(async () => {
      await change(id, { disabled: false }, (await ofUser(id).read()).tag);
    });
  const writes = may("people.write");
  const close = () => {
    setDoing(null);
  };
  return (
    <Panel title={t("team.people")}>
      <Rows<User>
        label={t("team.people")}
        of={users}
        rowKey="user_id"
        height={160}
        empty={null}
        columns={[
          {
            title: t("name"),
            render: (_, user) => (
              <>
                {user.name} {user.user_id === me.user_id && <Tag>{t("team.you")}</Tag>}
                {user.disabled_at && <Tag color="error">{t("team.disabled")}</Tag>}
                <div>{user.email}</div>
              </>
            ),
          },
          {
            title: t("role"),
            render: (_, user) => {
              const team = teams.find((one) => one.team_id === user.team_id)?.name;
              const where = user.places.join(", ") || t("team.everywhere");
              return (
                <>
                  {names("roles", user.role)}
                  <div>{team ? `${where} · ${team}` : where}</div>
                </>
              );
            },
          },
          {
            title: t("team.factors"),
            render: (_, user) =>
              user.second_factors.length > 0 ? (
                user.second_factors.map((factor) => <Tag key={factor}>{t(`factors.${factor}`)}</Tag>)
              ) : (
                <Tag color="warning">{t("team.no_factor")}</Tag>
              ),
          },
          {
            title: t("team.seen"),
            render: (_, user) => (user.signed_in_at ? say.ago(user.signed_in_at) : t("team.never")),
          },
          {
            title: <Unseen>{t("shell:actions")}</Unseen>,
            render: (_, user) =>
              writes && (
                <span className={styles.row}>
                  <Button
                    size="small"
                    aria-label={`${t("shell:edit")} ${user.name}`}
                    onClick={() => {
                      setDoing({ kind: "edit", user });
                    }}
                  >
                    {t("shell:edit")}
                  </Button>
                  <Button size="small" onClick={() => void reset(user)}>
                    {t("team.reset")}
                  </Button>
                  {user.disabled_at ? (
                    <Button size="small" onClick={() => void enable(user)}>
                      {t("team.enable")}
                    </Button>
                  ) : (
                    <Button
                      size="small"
                      danger
                      aria-label={`${t("team.disable")} ${user.name}`}
                      disabled={user.user_id === me.user_id}
                      onClick={() => {
                        setDoing({ kind: "disable", user });
                      }}
                    >
                      {t("team.disable")}
                    </Button>
                  )}
                </span>
              ),
          },
        ]}
      />
      {doing?.kind === "edit" && <EditUser user={doing.user} close={close} />}
      {doing?.kind === "disable" && <DisableUser user={doing.user} close={close} />}
      {doing?.kind === "link" && <LinkMade title={t("team.reset")} link={doing.link} close={close} />}
    </Panel>
  );
}

interface Change {
  role?: string;
  places?: string[];
  disabled?: boolean;
  team_id?: string | null;
  keep_keys?: boolean;
}

function useChange() {
  const queries = useQueryClient();
  return async (id: string, body: Change, tag: string) => {
    const params = { path: { user_id: id }, header: meaning(tag) };
    await api.PATCH("/api/users/{user_id}", { params, body: { keep_keys: false, ...body } });
    await Promise.all([USERS, TEAMS, KEYS].map((queryKey) => queries.invalidateQueries({ queryKey })));
  };
}

interface DialogProps {
  user: User;
  close: () => void;
}

function EditUser({ user, close }: DialogProps) {
  const { t } = useTranslation("access");
  const teams = useTeams();
  const change = useChange();
  return (
    <EditDialog<User, Placed & Kept & { team_id?: string | null }>
      title={user.name}
      of={ofUser(user.user_id)}
      begin={(before) => (before ? { role: before.role, places: before.places, team_id: before.team_id } : {})}
      save={async ({ role, places = [], team_id: team = null, keep_keys = false }, before) => {
        if (before) await change(user.user_id, { role, places, team_id: team, keep_keys }, before.tag);
      }}
      close={close}
    >
      {(form, before) => (
        <>
          <RoleFields form={form} begun={before?.role ?? user.role} />
          <Keys of={user} about={t("team.keys_beyond")} />
          {teams.length > 0 && (
            <Form.Item name="team_id" label={t("teams.one")}>
              <Select
                allowClear
                placeholder={t("teams.nobody")}
                options={teams.map((team) => ({ value: team.team_id, label: team.name }))}
              />
            </Form.Item>
          )}
        </>
      )}
    </EditDialog>
  );
}

function DisableUser({ user, close }: DialogProps) {
  const { t } = useTranslation("access");
  const change = useChange();
  return (
    <EditDialog<User, Kept>
      title={t("team.disable_title", { name: user.name })}
      about={t("team.disable_what")}
      does={{ text: t("team.disable"), danger: true }}
      of={ofUser(user.user_id)}
      begin={() => ({})}
      save={async ({ keep_keys = false }, before) => {
        if (before) await change(user.user_id, { disabled: true, keep_keys }, before.tag);
      }}
      close={close}
      height={60}
    >
      {() => <Keys of={user} about={t("team.keys_end")} />}
    </EditDialog>
  );
}

interface Kept {
  keep_keys?: boolean;
}

/** The API keys that end with what somebody may, and whether they are to go on; nothing where there are none. */
function Keys({ of: { user_id }, about }: { of: User; about: string }) {
  const { t } = useTranslation("access");
  const names = useNames();
  const keys = useQuery({
    queryKey: [...KEYS, user_id],
    queryFn: () => answer(api.GET("/api/users/{user_id}/keys", { params: { path: { user_id } } })),
  });
  const made = keys.data?.items ?? [];
  if (made.length === 0) return null;
  return (
    <>
      <p>{about}</p>
      <ul>
        {made.map((key) => (
          <li key={key.key_id}>
            {key.name} · {names("roles", key.role)}
          </li>
        ))}
      </ul>
      <Form.Item name="keep_keys" valuePropName="checked">
        <Checkbox>{t("team.keep_keys")}</Checkbox>
      </Form.Item>
    </>
  );
}
