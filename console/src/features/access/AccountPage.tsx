/** One's own account: name and language, password, second factors, sessions. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Modal, QRCode, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { Answer, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";

import styles from "./Entrance.module.css";
import { PASSWORD_CHARACTERS_MIN } from "./NewAccount";
import { canUsePasskeys, makePasskey } from "./passkeys";
import { SESSION, useMe } from "./session";

export function AccountPage() {
  const { t } = useTranslation("access");
  const me = useMe();
  return (
    <Page title={t("account.title")} about={me.email}>
      <div className={styles.columns}>
        <div>
          <Self />
          <Password />
        </div>
        <div>
          <SecondFactors />
          <Passkeys />
          <Sessions />
        </div>
      </div>
    </Page>
  );
}

/** What was changed of the account shows in the session, too, whose token may be another. */
function useRenewed() {
  const queries = useQueryClient();
  return async () => {
    await queries.invalidateQueries({ queryKey: SESSION });
    await queries.invalidateQueries({ queryKey: ["account"] });
  };
}

function Self() {
  const { t } = useTranslation(["access", "shell"]);
  const { message } = App.useApp();
  const me = useMe();
  const renewed = useRenewed();
  const save = useMutation({
    mutationFn: (body: { name: string }) => api.PATCH("/api/session", { body }),
    onSuccess: async () => {
      await renewed();
      void message.success(t("shell:saved"));
    },
  });
  return (
    <Panel title={t("account.self")}>
      <Form
        layout="vertical"
        requiredMark={false}
        className={styles.narrow ?? ""}
        initialValues={{ name: me.name }}
        onFinish={(given: { name: string }) => {
          save.mutate(given);
        }}
      >
        <Form.Item name="name" label={t("name")} rules={[{ required: true, message: t("shell:required") }]}>
          <Input autoComplete="name" maxLength={100} />
        </Form.Item>
        {save.error && <Refused error={save.error} />}
        <Button htmlType="submit" loading={save.isPending}>
          {t("shell:save")}
        </Button>
      </Form>
    </Panel>
  );
}

function Password() {
  const { t } = useTranslation(["access", "shell"]);
  const { message } = App.useApp();
  const me = useMe();
  const renewed = useRenewed();
  const [form] = Form.useForm<{ current: string; new: string }>();
  const change = useMutation({
    mutationFn: (body: { current: string; new: string }) => api.POST("/api/session/password", { body }),
    onSuccess: async () => {
      form.resetFields();
      await renewed();
      void message.success(t("account.password_changed"));
    },
  });
  const required = { required: true, message: t("shell:required") };
  const rule = t("password_rule", { count: PASSWORD_CHARACTERS_MIN });
  return (
    <Panel title={t("password")} about={t("account.password_about")}>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        className={styles.narrow ?? ""}
        onFinish={(given: { current: string; new: string }) => {
          change.mutate(given);
        }}
      >
        <input type="email" autoComplete="username" value={me.email} readOnly hidden />
        <Form.Item name="current" label={t("account.current_password")} rules={[required]}>
          <Input.Password autoComplete="current-password" maxLength={1000} />
        </Form.Item>
        <Form.Item
          name="new"
          label={t("new_password")}
          extra={rule}
          rules={[required, { min: PASSWORD_CHARACTERS_MIN, message: rule }]}
        >
          <Input.Password autoComplete="new-password" maxLength={128} />
        </Form.Item>
        {change.error && <Refused error={change.error} />}
        <Button htmlType="submit" loading={change.isPending}>
          {t("account.change_password")}
        </Button>
      </Form>
    </Panel>
  );
}

function SecondFactors() {
  const { t } = useTranslation(["access", "shell"]);
  const me = useMe();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const renewed = useRenewed();
  const [begun, setBegun] = useState<{ secret: string; uri: string } | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const on = me.second_factors.includes("totp");
  const begin = () =>
    attempt(async () => {
      setBegun(await answer(api.POST("/api/totp")));
    });
  const remove = () => {
    void modal.confirm({
      title: t("totp.remove_title"),
      content: t("totp.remove_what"),
      okButtonProps: { danger: true },
      okText: t("shell:remove"),
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/totp");
          await renewed();
        }),
    });
  };
  const anew = () => {
    void modal.confirm({
      title: t("totp.new_codes_title"),
      content: t("totp.new_codes_what"),
      okText: t("totp.new_codes"),
      onOk: () =>
        attempt(async () => {
          setCodes((await answer(api.POST("/api/recovery-codes"))).recovery_codes);
        }),
    });
  };
  return (
    <Panel title={t("totp.title")} about={t("totp.about")}>
      <p>{on ? <Tag color="success">{t("totp.on")}</Tag> : <Tag>{t("totp.off")}</Tag>}</p>
      <div className={styles.row}>
        {on ? (
          <Button danger onClick={remove}>
            {t("shell:remove")}
          </Button>
        ) : (
          <Button type="primary" onClick={() => void begin()}>
            {t("totp.begin")}
          </Button>
        )}
        {me.second_factors.length > 0 && <Button onClick={anew}>{t("totp.new_codes")}</Button>}
      </div>
      {begun && (
        <Confirm
          begun={begun}
          close={() => {
            setBegun(null);
          }}
          done={async (made) => {
            setBegun(null);
            if (made.length > 0) setCodes(made);
            await renewed();
          }}
        />
      )}
      {codes && (
        <RecoveryCodes
          codes={codes}
          close={() => {
            setCodes(null);
          }}
        />
      )}
    </Panel>
  );
}

interface ConfirmProps {
  begun: { secret: string; uri: string };
  close: () => void;
  done: (codes: string[]) => Promise<void>;
}

function Confirm({ begun, close, done }: ConfirmProps) {
  const { t } = useTranslation(["access", "shell"]);
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => answer(api.POST("/api/totp/confirm", { body: { code: code.replaceAll(" ", "") } })),
    onSuccess: ({ recovery_codes: made }) => done(made),
  });
  return (
    <Modal
      open
      title={t("totp.begin")}
      okText={t("totp.confirm")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: code.length < 6, loading: confirm.isPending }}
      onOk={() => {
        confirm.mutate();
      }}
      onCancel={close}
    >
      <p>{t("totp.scan")}</p>
      <QRCode value={begun.uri} type="svg" bgColor="#ffffff" color="#000000" aria-label={t("totp.scan")} />
      <p>
        {t("totp.or_type")} <code>{begun.secret}</code>
      </p>
      <Input
        aria-label={t("second.code")}
        placeholder={t("second.code")}
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={10}
        value={code}
        onChange={(event) => {
          setCode(event.target.value);
        }}
        onPressEnter={() => {
          confirm.mutate();
        }}
      />
      {confirm.error && <Refused error={confirm.error} />}
    </Modal>
  );
}

function RecoveryCodes({ codes, close }: { codes: readonly string[]; close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  return (
    <Modal open title={t("totp.codes")} footer={<Button onClick={close}>{t("totp.kept")}</Button>} onCancel={close}>
      <p>{t("totp.codes_about")}</p>
      <ul className={styles.codes}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <Button onClick={() => void navigator.clipboard.writeText(codes.join("\n"))}>{t("shell:copy")}</Button>
    </Modal>
  );
}

function Passkeys() {
  const { t } = useTranslation(["access", "shell"]);
  const { modal } = App.useApp();
  const say = useSaying();
  const { attempt } = useDoing();
  const renewed = useRenewed();
  const [codes, setCodes] = useState<string[] | null>(null);
  const passkeys = useQuery({ queryKey: ["account", "passkeys"], queryFn: () => answer(api.GET("/api/passkeys")) });
  const add = () =>
    attempt(async () => {
      const options = await answer(api.POST("/api/passkeys/options"));
      let credential;
      try {
        credential = await makePasskey(options);
      } catch {
        // The person said no, or the device cannot.
        return;
      }
      const name = t("passkeys.usual", { day: say.day(new Date().toISOString()) });
      const made = await answer(api.POST("/api/passkeys", { body: { name, credential } }));
      if (made.recovery_codes.length > 0) setCodes(made.recovery_codes);
      await renewed();
    });
  const remove = (one: { passkey_id: string; name: string }) => {
    void modal.confirm({
      title: t("passkeys.remove_title", { name: one.name }),
      content: t("passkeys.remove_what"),
      okText: t("shell:remove"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/passkeys/{passkey_id}", { params: { path: { passkey_id: one.passkey_id } } });
          await renewed();
        }),
    });
  };
  return (
    <Panel
      title={t("passkeys.title")}
      about={t("passkeys.about")}
      actions={canUsePasskeys() && <Button onClick={() => void add()}>{t("shell:add")}</Button>}
    >
      <Answer of={passkeys} height={40}>
        {({ items }) => (
          <ul className={styles.list}>
            {items.map((one) => (
              <li key={one.passkey_id}>
                <span>
                  {one.name}
                  <small>
                    {one.used_at ? t("passkeys.used", { ago: say.ago(one.used_at) }) : t("passkeys.unused")}
                  </small>
                </span>
                <Button
                  size="small"
                  onClick={() => {
                    remove(one);
                  }}
                >
                  {t("shell:remove")}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Answer>
      {codes && (
        <RecoveryCodes
          codes={codes}
          close={() => {
            setCodes(null);
          }}
        />
      )}
    </Panel>
  );
}

function Sessions() {
  const { t } = useTranslation(["access", "shell"]);
  const say = useSaying();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const key = ["account", "sessions"];
  const sessions = useQuery({ queryKey: key, queryFn: () => answer(api.GET("/api/sessions")) });
  const end = (session: string) =>
    attempt(async () => {
      await api.DELETE("/api/sessions/{session_id}", { params: { path: { session_id: session } } });
      await queries.invalidateQueries({ queryKey: key });
    });
  return (
    <Panel title={t("sessions.title")} about={t("sessions.about")}>
      <Answer of={sessions} height={80}>
        {({ items }) => (
          <ul className={styles.list}>
            {items.map((one) => (
              <li key={one.session_id}>
                <span>
                  {one.agent || t("sessions.unknown")} {one.current && <Tag color="success">{t("sessions.this")}</Tag>}
                  <small>{t("sessions.seen", { ago: say.ago(one.seen_at), until: say.moment(one.expires_at) })}</small>
                </span>
                {!one.current && (
                  <Button size="small" onClick={() => void end(one.session_id)}>
                    {t("sessions.end")}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
