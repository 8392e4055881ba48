/** Segments that operators use, to begin with: what each is for and whom it means. */
import { Button, Input, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { Answer } from "@/shell/Answer";

import { useTemplates, type Template } from "./queries";
import styles from "./Segments.module.css";

export function Templates({ close }: { close: () => void }) {
  const { t } = useTranslation("segments");
  const templates = useTemplates();
  const [typed, setTyped] = useState("");
  const fits = (one: Template) =>
    [one.name, one.why, one.text].some((text) => text.toLowerCase().includes(typed.trim().toLowerCase()));
  return (
    <Modal open width={760} title={t("templates.title")} footer={null} onCancel={close}>
      <p className={styles.about}>{t("templates.about")}</p>
      <Input
        allowClear
        aria-label={t("templates.search")}
        placeholder={t("templates.search")}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
      />
      <Answer of={templates} height={360}>
        {({ items }) => {
          const found = items.filter(fits);
          if (found.length === 0) return <p className={styles.about}>{t("templates.none")}</p>;
          return [...new Set(found.map((one) => one.group))].map((group) => (
            <Group key={group} templates={found.filter((one) => one.group === group)} />
          ));
        }}
      </Answer>
    </Modal>
  );
}

function Group({ templates }: { templates: readonly Template[] }) {
  const { t } = useTranslation("segments");
  const go = useNavigate();
  return (
    <section>
      <h3 className={styles.sub}>{templates[0]?.group_name}</h3>
      <ul className={styles.templates}>
        {templates.map((one) => (
          <li key={one.code}>
            <div>
              <strong>{one.name}</strong>
              <p>{one.why}</p>
              <p className={styles.text}>{one.text}</p>
            </div>
            <Button
              size="small"
              aria-label={t("templates.take_one", { name: one.name })}
              onClick={() => void go(`/segments/new?template=${one.code}`)}
            >
              {t("templates.take")}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
