/** Who may come in: accounts and invitations. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { Answer, Empty, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";
import { LinkMade } from "./LinkMade";
import { INVITATIONS } from "./queries";
import { RoleFields, type Placed } from "./RoleFields";
import { useMay } from "./session";
import { Teams } from "./Teams";
import { Users } from "./Users";

export function TeamPage() {
  const { t } = useTranslation("access");
  const may = useMay();
  const [inviting, setInviting] = useState(false);
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
      <Users />
      <Teams />
      <Invitations />
      {inviting && (
        <InvitePerson
          close={() => {
            setInviting(false);
          }}
        />
      )}
    </Page>
  );
}

function Invitations() {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const say = useSaying();
  const may = useMay();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const open = useQuery({ queryKey: INVITATIONS, queryFn: () => answer(api.GET("/api/invitations")) });
  const revoke = (invitation: string) =>
    attempt(async () => {
      await api.DELETE("/api/invitations/{invitation_id}", { params: { path: { invitation_id: invitation } } });
      await queries.invalidateQueries({ queryKey: INVITATIONS });
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

interface Given extends Placed {
  email: string;
}

function InvitePerson({ close }: { close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  const queries = useQueryClient();
  const [form] = Form.useForm<Given>();
  const invite = useMutation({
    mutationFn: (given: Given) =>
      answer(api.POST("/api/invitations", { body: { ...given, places: given.places ?? [], team_id: null } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: INVITATIONS }),
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
        onFinish={(given: Given) => {
          invite.mutate(given);
        }}
      >
        <Form.Item name="email" label={t("email")} rules={[required]}>
          <Input autoFocus type="email" maxLength={254} />
        </Form.Item>
        <RoleFields form={form} begun="analyst" />
      </Form>
      {invite.error && <Refused error={invite.error} />}
    </Modal>
  );
}
