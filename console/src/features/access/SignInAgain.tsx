/** Before a change that matters: whoever signed in long ago shows again who they are, and what they began goes on. */
import { useMutation } from "@tanstack/react-query";
import { Button, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answer, api } from "@/platform/client";
import { Refused } from "@/shell/Answer";

import { Otherwise, SecondForm } from "./SignIn";
import type { Factor, SignedIn } from "./session";

interface Props {
  email: string;
  /** They have shown it. */
  done: () => void;
  /** They do not want to; `gone` says that they are signed out by now. */
  leave: (gone: boolean) => void;
}

export default function SignInAgain({ email, done, leave }: Props) {
  const { t } = useTranslation(["access", "shell"]);
  const [asked, setAsked] = useState<Factor[] | null>(null);
  const go = (found: SignedIn) => {
    if (found.state === "signed_in") done();
    else setAsked(found.methods);
  };
  const sign = useMutation({
    mutationFn: ({ password }: { password: string }) => answer(api.POST("/api/session", { body: { email, password } })),
    onSuccess: go,
  });
  return (
    <Modal
      open
      title={t("again.title")}
      footer={null}
      zIndex={1500}
      onCancel={() => {
        leave(asked !== null);
      }}
    >
      {asked ? (
        <SecondForm methods={asked} go={go} />
      ) : (
        <>
          <p>{t("again.why")}</p>
          <Form
            layout="vertical"
            requiredMark={false}
            onFinish={(given: { password: string }) => {
              sign.mutate(given);
            }}
          >
            <input type="email" autoComplete="username" value={email} readOnly hidden />
            <Form.Item
              name="password"
              label={t("again.password_of", { email })}
              rules={[{ required: true, message: t("shell:required") }]}
            >
              <Input.Password autoFocus autoComplete="current-password" maxLength={1000} />
            </Form.Item>
            {sign.error && <Refused error={sign.error} />}
            <Button block type="primary" htmlType="submit" loading={sign.isPending}>
              {t("second.do")}
            </Button>
          </Form>
          <Otherwise go={go} />
        </>
      )}
    </Modal>
  );
}
