/** Signing in: password, then what else the account wants; a passkey; the brand's own sign-in. */
import { KeyOutlined } from "@ant-design/icons";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Button, Form, Input } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { answer, api, Problem } from "@/platform/client";
import { Refused } from "@/shell/Answer";

import { Entrance } from "./Entrance";
import styles from "./Entrance.module.css";
import { canUsePasskeys, signWithPasskey } from "./passkeys";
import { useEnter, type Factor, type SignedIn } from "./session";

export function SignIn() {
  const { t } = useTranslation("access");
  const enter = useEnter();
  const [asked, setAsked] = useState<Factor[] | null>(null);
  const go = (found: SignedIn) => {
    if (found.state === "signed_in") void enter();
    else setAsked(found.methods);
  };
  if (asked) {
    return (
      <SecondFactor
        methods={asked}
        go={go}
        back={() => {
          setAsked(null);
        }}
      />
    );
  }
  return (
    <Entrance title={t("sign_in.title")}>
      <WithPassword go={go} />
      <Otherwise go={go} />
    </Entrance>
  );
}

export interface Going {
  go: (found: SignedIn) => void;
}

function WithPassword({ go }: Going) {
  const { t } = useTranslation(["access", "shell"]);
  const [address] = useSearchParams();
  const refused = address.get("error");
  const sign = useMutation({
    mutationFn: (body: { email: string; password: string }) => answer(api.POST("/api/session", { body })),
    onSuccess: go,
  });
  const required = [{ required: true, message: t("shell:required") }];
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      onFinish={(given: { email: string; password: string }) => {
        sign.mutate(given);
      }}
    >
      <Form.Item name="email" label={t("email")} rules={required}>
        <Input type="email" autoComplete="username webauthn" autoFocus maxLength={254} />
      </Form.Item>
      <Form.Item name="password" label={t("password")} rules={required}>
        <Input.Password autoComplete="current-password" maxLength={1000} />
      </Form.Item>
      {refused && !sign.error && <Refused error={new Problem(403, refused, t("sign_in.refused"), null)} />}
      {sign.error && <Refused error={sign.error} />}
      <Button block type="primary" size="large" htmlType="submit" loading={sign.isPending}>
        {t("sign_in.do")}
      </Button>
    </Form>
  );
}

export function Otherwise({ go }: Going) {
  const { t } = useTranslation("access");
  const providers = useQuery({ queryKey: ["oidc"], queryFn: () => answer(api.GET("/api/oidc")) });
  const passkey = useMutation({
    mutationFn: async () => {
      const options = await answer(api.POST("/api/session/passkey/options"));
      const credential = await signWithPasskey(options);
      return answer(api.POST("/api/session/passkey", { body: { credential } }));
    },
    onSuccess: go,
  });
  return (
    <div className={styles.or}>
      {canUsePasskeys() && (
        <Button
          block
          icon={<KeyOutlined />}
          loading={passkey.isPending}
          onClick={() => {
            passkey.mutate();
          }}
        >
          {t("sign_in.passkey")}
        </Button>
      )}
      {passkey.error instanceof Problem && <Refused error={passkey.error} />}
      {providers.data?.items.map((provider) => (
        <Button key={provider.name} block href="/api/oidc/start">
          {t("sign_in.with", { name: provider.name })}
        </Button>
      ))}
    </div>
  );
}

interface SecondProps extends Going {
  methods: readonly Factor[];
  back: () => void;
}

function SecondFactor({ methods, go, back }: SecondProps) {
  const { t } = useTranslation("access");
  return (
    <Entrance title={t("second.title")}>
      <SecondForm methods={methods} go={go} />
      <div className={styles.or}>
        <Button type="link" onClick={back}>
          {t("second.back")}
        </Button>
      </div>
    </Entrance>
  );
}

/** The second factor: a code of the app, or one of those that were kept. */
export function SecondForm({ methods, go }: Going & { methods: readonly Factor[] }) {
  const { t } = useTranslation(["access", "shell"]);
  const [recovery, setRecovery] = useState(!methods.includes("totp"));
  const prove = useMutation({
    mutationFn: ({ code }: { code: string }) =>
      answer(
        api.POST("/api/session/second", {
          body: { method: recovery ? "recovery" : "totp", code: code.replaceAll(" ", "") },
        }),
      ),
    onSuccess: go,
  });
  return (
    <>
      <p className={styles.about}>{recovery ? t("second.recovery_about") : t("second.about")}</p>
      <Form
        layout="vertical"
        requiredMark={false}
        onFinish={(given: { code: string }) => {
          prove.mutate(given);
        }}
      >
        <Form.Item
          name="code"
          label={recovery ? t("second.recovery") : t("second.code")}
          rules={[{ required: true, message: t("shell:required") }]}
        >
          <Input
            autoFocus
            size="large"
            autoComplete="one-time-code"
            inputMode={recovery ? "text" : "numeric"}
            maxLength={60}
          />
        </Form.Item>
        {prove.error && <Refused error={prove.error} />}
        <Button block type="primary" size="large" htmlType="submit" loading={prove.isPending}>
          {t("second.do")}
        </Button>
      </Form>
      {methods.includes("totp") && methods.includes("recovery") && (
        <Button
          type="link"
          onClick={() => {
            setRecovery(!recovery);
          }}
        >
          {recovery ? t("second.use_code") : t("second.use_recovery")}
        </Button>
      )}
    </>
  );
}
