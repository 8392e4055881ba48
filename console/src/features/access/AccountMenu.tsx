/** Who is signed in: their account, and the way out. */
import { LogoutOutlined, UserOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useNames } from "@/base/useSaying";

import styles from "./AccountMenu.module.css";
import { useMe, useSignOut } from "./session";

export function AccountMenu() {
  const { t } = useTranslation("access");
  const names = useNames();
  const me = useMe();
  const go = useNavigate();
  const out = useSignOut();
  return (
    <Dropdown
      trigger={["click"]}
      menu={{
        items: [
          { key: "who", type: "group", label: `${me.name} · ${names("roles", me.role)}` },
          { key: "account", icon: <UserOutlined />, label: t("account.title") },
          { key: "out", icon: <LogoutOutlined />, label: t("sign_out") },
        ],
        onClick: ({ key }) => {
          if (key === "account") void go("/account");
          else if (key === "out") out.mutate();
        },
      }}
    >
      <Button type="text" aria-label={t("account.of", { name: me.name })}>
        <span className={styles.initial}>{me.name.slice(0, 1)}</span>
      </Button>
    </Dropdown>
  );
}
