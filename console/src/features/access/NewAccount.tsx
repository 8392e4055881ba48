/** Name, address and password of somebody who comes in for the first time. */
import { Button, Form, Input } from "antd";
import { useTranslation } from "react-i18next";

import { Refused } from "@/shell/Answer";

export interface Given {
  name: string;
  email: string;
  password: string;
}

interface Props {
  asks: readonly ("name" | "email")[];
  /** Of whom the password will be, for the browser that remembers it. */
  email?: string;
  doing: string;
  busy: boolean;
  error: unknown;
  finish: (given: Given) => void;
}

/** As the server has it; longer ones are welcome. */
export const PASSWORD_CHARACTERS_MIN = 12;

export function NewAccount({ asks, email, doing, busy, error, finish }: Props) {
  const { t } = useTranslation(["access", "shell"]);
  const required = { required: true, message: t("shell:required") };
  return (
    <Form layout="vertical" requiredMark={false} onFinish={finish} initialValues={{ name: "", email: email ?? "" }}>
      {asks.includes("name") && (
        <Form.Item name="name" label={t("name")} rules={[required]}>
          <Input autoFocus autoComplete="name" maxLength={100} />
        </Form.Item>
      )}
      <Form.Item name="email" label={t("email")} rules={[required]} hidden={!asks.includes("email")}>
        <Input type="email" autoComplete="username" maxLength={254} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t("new_password")}
        extra={t("password_rule", { count: PASSWORD_CHARACTERS_MIN })}
        rules={[
          required,
          { min: PASSWORD_CHARACTERS_MIN, message: t("password_rule", { count: PASSWORD_CHARACTERS_MIN }) },
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={128} />
      </Form.Item>
      {Boolean(error) && <Refused error={error} />}
      <Button block type="primary" size="large" htmlType="submit" loading={busy}>
        {doing}
      </Button>
    </Form>
  );
}
