/** A text to take along, whole with one click. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button, Input } from "antd";
import { useTranslation } from "react-i18next";

import styles from "./CopyLine.module.css";

export function CopyLine({ text }: { text: string }) {
  const { t } = useTranslation("shell");
  const { message } = App.useApp();
  return (
    <div className={styles.link}>
      <Input
        readOnly
        value={text}
        aria-label={t("copy")}
        onFocus={(event) => {
          event.target.select();
        }}
      />
      <Button
        icon={<CopyOutlined />}
        onClick={() =>
          void navigator.clipboard.writeText(text).then(() => {
            void message.success(t("copied"));
          })
        }
      >
        {t("copy")}
      </Button>
    </div>
  );
}
