/** Who works together; a team allows nothing. */
import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { Empty } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { EditDialog } from "@/shell/EditDialog";
import { Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";
import { ofTeam, TEAMS, USERS, useTeams, type Team } from "./queries";
import { useMay } from "./session";

export function Teams() {
  const { t } = useTranslation(["access", "shell"]);
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const again = useAgain();
  const teams = useTeams();
  const [edited, setEdited] = useState<{ id: string | null } | null>(null);
  const writes = may("people.write");
  const remove = ({ team_id: id, name, members }: Team) =>
    attempt(async () => {
      const { tag } = await ofTeam(id).read();
      await modal.confirm({
        title: t("teams.remove_title", { name }),
        content: t("teams.remove_what", { count: members }),
        okText: t("shell:remove"),
        okButtonProps: { danger: true },
        onOk: () =>
          attempt(async () => {
            await api.DELETE("/api/teams/{team_id}", { params: { path: { team_id: id }, header: meaning(tag) } });
            await again();
          }),
      });
    });
  return (
    <Panel
      title={t("teams.title")}
      actions={
        writes && (
          <Button
            onClick={() => {
              setEdited({ id: null });
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
                    setEdited({ id: team.team_id });
                  }}
                >
                  {t("shell:edit")}
                </Button>
                <Button
                  size="small"
                  danger
                  aria-label={t("teams.remove_one", { name: team.name })}
                  onClick={() => void remove(team)}
                >
                  {t("shell:remove")}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
      {edited && (
        <EditTeam
          id={edited.id}
          close={() => {
            setEdited(null);
          }}
        />
      )}
    </Panel>
  );
}

function EditTeam({ id, close }: { id: string | null; close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  const again = useAgain();
  return (
    <EditDialog<Team, { name: string }>
      title={id === null ? t("teams.make") : t("teams.rename")}
      of={id === null ? null : ofTeam(id)}
      begin={(before) => ({ name: before?.name ?? "" })}
      save={async (body, before) => {
        if (before) {
          const params = { path: { team_id: before.thing.team_id }, header: meaning(before.tag) };
          await api.PATCH("/api/teams/{team_id}", { params, body });
        } else await api.POST("/api/teams", { body });
        await again();
      }}
      close={close}
      height={60}
    >
      {() => (
        <Form.Item
          name="name"
          label={t("teams.name")}
          rules={[{ required: true, whitespace: true, message: t("shell:required") }]}
        >
          <Input autoFocus maxLength={100} />
        </Form.Item>
      )}
    </EditDialog>
  );
}

/** Asks anew for what names teams. */
function useAgain(): () => Promise<unknown> {
  const queries = useQueryClient();
  return () => Promise.all([TEAMS, USERS].map((queryKey) => queries.invalidateQueries({ queryKey })));
}
