/** Who may come in: accounts and invitations. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Modal, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Answer, Empty, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { Page, Panel } from "@/shell/Page";

import { CopyLine } from "@/shell/CopyLine";
import styles from "./Entrance.module.css";
import { useMay, useMe } from "./session";

type User = components["schemas"]["User"];
type Role = components["schemas"]["RoleBody"];
type Team = components["schemas"]["Team"];

const TEAMS = ["teams"];

export function TeamPage() {
  const { t } = useTranslation("access");
  const may = useMay();
  const [inviting, setInviting] = useState(false);
  const roles = useRoles();
  return (
    <Page
      title={t("settings.team")}
      about={t("team.about")}
      actions={
        may("people.write") && (
          <Button
            type="primary"
            onClick={() => {
              setInviting(true);
            }}
          >
            {t("team.invite")}
          </Button>
        )
      }
    >
      <Users roles={roles} />
      <Teams />
      <Invitations />
      {inviting && (
        <InvitePerson
          roles={roles}
          close={() => {
            setInviting(false);
          }}
        />
      )}
    </Page>
  );
}

export function useRoles(): readonly Role[] {
  const roles = useQuery({ queryKey: ["roles"], queryFn: () => answer(api.GET("/api/roles")) });
  return roles.data?.items ?? [];
}

function useTeams(): readonly Team[] {
  const teams = useQuery({ queryKey: TEAMS, queryFn: () => answer(api.GET("/api/teams")) });
  return teams.data?.items ?? [];
}

/** Who works together; a team allows nothing. */
function Teams() {
  const { t } = useTranslation(["access", "shell"]);
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const teams = useTeams();
  const [edited, setEdited] = useState<Team | "new" | null>(null);
  const writes = may("people.write");
  const again = async () => {
    await queries.invalidateQueries({ queryKey: TEAMS });
    await queries.invalidateQueries({ queryKey: ["users"] });
  };
  const remove = (team: Team) => {
    void modal.confirm({
      title: t("teams.remove_title", { name: team.name }),
      content: t("teams.remove_what", { count: team.members }),
      okText: t("shell:remove"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/teams/{team_id}", { params: { path: { team_id: team.team_id } } });
          await again();
        }),
    });
  };
  return (
    <Panel
      title={t("teams.title")}
      actions={
        writes && (
          <Button
            onClick={() => {
              setEdited("new");
            }}
          >
            {t("shell:add")}
          </Button>
        )
      }
    >
      {teams.length === 0 && <Empty title={t("teams.none")}>{t("teams.none_how")}</Empty>}
      <ul className={styles.list}>
        {teams.map((team) => (
          <li key={team.team_id}>
            <span>
              {team.name}
              <small>{t("teams.members", { count: team.members })}</small>
            </span>
            {writes && (
              <span className={styles.row}>
                <Button
                  size="small"
                  aria-label={`${t("shell:edit")} ${team.name}`}
                  onClick={() => {
                    setEdited(team);
                  }}
                >
                  {t("shell:edit")}
                </Button>
                <Button
                  size="small"
                  danger
                  aria-label={t("teams.remove_one", { name: team.name })}
                  onClick={() => {
                    remove(team);
                  }}
                >
                  {t("shell:remove")}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {edited && (
        <NameTeam
          team={edited === "new" ? null : edited}
          close={() => {
            setEdited(null);
          }}
          done={async () => {
            await again();
            setEdited(null);
          }}
        />
      )}
    </Panel>
  );
}

function NameTeam({ team, close, done }: { team: Team | null; close: () => void; done: () => Promise<void> }) {
  const { t } = useTranslation(["access", "shell"]);
  const [name, setName] = useState(team?.name ?? "");
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim() };
      if (!team) return answer(api.POST("/api/teams", { body }));
      return answer(api.PATCH("/api/teams/{team_id}", { params: { path: { team_id: team.team_id } }, body }));
    },
    onSuccess: done,
  });
  const go = () => {
    if (name.trim()) save.mutate();
  };
  return (
    <Modal
      open
      title={team ? t("teams.rename") : t("teams.make")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: !name.trim(), loading: save.isPending }}
      onOk={go}
      onCancel={close}
    >
      <Input
        autoFocus
        aria-label={t("teams.name")}
        placeholder={t("teams.name")}
        maxLength={100}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
        onPressEnter={go}
      />
      {save.error && <Refused error={save.error} />}
    </Modal>
  );
}

function Users({ roles }: { roles: readonly Role[] }) {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const say = useSaying();
  const me = useMe();
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const [link, setLink] = useState<string | null>(null);
  const users = useQuery({
    queryKey: ["users"],
    queryFn: () => answer(api.GET("/api/users", { params: { query: { limit: 200 } } })),
  });
  const teams = useTeams();
  const change = (user: User, body: { role?: string; disabled?: boolean; team_id?: string | null }) =>
    attempt(async () => {
      await api.PATCH("/api/users/{user_id}", { params: { path: { user_id: user.user_id } }, body });
      await queries.invalidateQueries({ queryKey: ["users"] });
    });
  const reset = (user: User) =>
    attempt(async () => {
      const made = await answer(
        api.POST("/api/users/{user_id}/reset", { params: { path: { user_id: user.user_id } } }),
      );
      setLink(made.link);
    });
  const disable = (user: User) => {
    void modal.confirm({
      title: t("team.disable_title", { name: user.name }),
      content: t("team.disable_what"),
      okText: t("team.disable"),
      okButtonProps: { danger: true },
      onOk: () => change(user, { disabled: true }),
    });
  };
  const writes = may("people.write");
  return (
    <Panel title={t("team.people")}>
      <Answer of={users} height={160}>
        {({ items }) => (
          <Grid<User>
            label={t("team.people")}
            rowKey="user_id"
            size="middle"
            dataSource={items}
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
                render: (_, user) =>
                  writes ? (
                    <Select
                      aria-label={t("team.role_of", { name: user.name })}
                      value={user.role}
                      popupMatchSelectWidth={false}
                      options={roles.map((role) => ({ value: role.name, label: names("roles", role.name) }))}
                      onChange={(role) => void change(user, { role })}
                    />
                  ) : (
                    names("roles", user.role)
                  ),
              },
              {
                title: t("teams.one"),
                render: (_, user) =>
                  writes && teams.length > 0 ? (
                    <Select
                      allowClear
                      aria-label={t("teams.of", { name: user.name })}
                      placeholder={t("teams.nobody")}
                      value={user.team_id}
                      popupMatchSelectWidth={false}
                      options={teams.map((team) => ({ value: team.team_id, label: team.name }))}
                      onChange={(team: string | undefined) => void change(user, { team_id: team ?? null })}
                    />
                  ) : (
                    (teams.find((team) => team.team_id === user.team_id)?.name ?? t("teams.nobody"))
                  ),
              },
              { title: t("team.places"), render: (_, user) => user.places.join(", ") || t("team.everywhere") },
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
                title: "",
                render: (_, user) =>
                  writes && (
                    <span className={styles.row}>
                      <Button size="small" onClick={() => void reset(user)}>
                        {t("team.reset")}
                      </Button>
                      {user.disabled_at ? (
                        <Button size="small" onClick={() => void change(user, { disabled: false })}>
                          {t("team.enable")}
                        </Button>
                      ) : (
                        <Button
                          size="small"
                          danger
                          disabled={user.user_id === me.user_id}
                          onClick={() => {
                            disable(user);
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
        )}
      </Answer>
      {link && (
        <LinkMade
          title={t("team.reset")}
          link={link}
          close={() => {
            setLink(null);
          }}
        />
      )}
    </Panel>
  );
}

function Invitations() {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const say = useSaying();
  const may = useMay();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const open = useQuery({ queryKey: ["invitations"], queryFn: () => answer(api.GET("/api/invitations")) });
  const revoke = (invitation: string) =>
    attempt(async () => {
      await api.DELETE("/api/invitations/{invitation_id}", { params: { path: { invitation_id: invitation } } });
      await queries.invalidateQueries({ queryKey: ["invitations"] });
    });
  return (
    <Panel title={t("team.invitations")}>
      <Answer of={open} height={60}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t("team.no_invitations")}>{t("team.no_invitations_how")}</Empty>
          ) : (
            <ul className={styles.list}>
              {items.map((one) => (
                <li key={one.invitation_id}>
                  <span>
                    {one.email} · {names("roles", one.role)}
                    <small>{t("team.until", { moment: say.moment(one.expires_at) })}</small>
                  </span>
                  {may("people.write") && (
                    <Button size="small" onClick={() => void revoke(one.invitation_id)}>
                      {t("team.revoke")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}

interface InviteProps {
  roles: readonly Role[];
  close: () => void;
}

function InvitePerson({ roles, close }: InviteProps) {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const queries = useQueryClient();
  const [form] = Form.useForm<{ email: string; role: string; places?: string[] }>();
  const wanted = Form.useWatch("role", form);
  const scope = roles.find((role) => role.name === wanted)?.where ?? "all";
  const invite = useMutation({
    mutationFn: (given: { email: string; role: string; places?: string[] }) =>
      answer(api.POST("/api/invitations", { body: { ...given, places: given.places ?? [], team_id: null } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["invitations"] }),
  });
  if (invite.data) return <LinkMade title={t("team.invite")} link={invite.data.link} close={close} />;
  const required = { required: true, message: t("shell:required") };
  return (
    <Modal
      open
      title={t("team.invite")}
      okText={t("team.make_link")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: invite.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ role: "analyst" }}
        onFinish={(given: { email: string; role: string; places?: string[] }) => {
          invite.mutate(given);
        }}
      >
        <Form.Item name="email" label={t("email")} rules={[required]}>
          <Input autoFocus type="email" maxLength={254} />
        </Form.Item>
        <Form.Item name="role" label={t("role")} rules={[required]}>
          <Select options={roles.map((role) => ({ value: role.name, label: names("roles", role.name) }))} />
        </Form.Item>
        {(scope === "store" || scope === "region") && (
          <Form.Item name="places" label={t(`team.places_${scope}`)} rules={[required]}>
            <Select mode="tags" />
          </Form.Item>
        )}
      </Form>
      {invite.error && <Refused error={invite.error} />}
    </Modal>
  );
}

function LinkMade({ title, link, close }: { title: string; link: string; close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  return (
    <Modal open title={title} footer={<Button onClick={close}>{t("shell:close")}</Button>} onCancel={close}>
      <p>{t("team.link_about")}</p>
      <CopyLine text={link} />
    </Modal>
  );
}
