/** A link that somebody comes in by, shown this once. */
import { Button, Modal } from "antd";
import { useTranslation } from "react-i18next";

import { CopyLine } from "@/shell/CopyLine";

export function LinkMade({ title, link, close }: { title: string; link: string; close: () => void }) {
  const { t } = useTranslation(["access", "shell"]);
  return (
    <Modal open title={title} footer={<Button onClick={close}>{t("shell:close")}</Button>} onCancel={close}>
      <p>{t("team.link_about")}</p>
      <CopyLine text={link} />
    </Modal>
  );
}
