/** The frame of the pages that one comes in by. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Choices } from "@/shell/Choices";

import styles from "./Entrance.module.css";

interface Props {
  title: string;
  about?: ReactNode;
  children: ReactNode;
}

export function Entrance({ title, about, children }: Props) {
  const { t } = useTranslation("shell");
  return (
    <div className={styles.frame}>
      <title>{title ? `${title} · ${t("brand")}` : t("brand")}</title>
      <header className={styles.top}>
        <Choices />
      </header>
      <main className={styles.card}>
        <p className={styles.brand}>
          <span aria-hidden="true">熟</span> {t("brand")}
        </p>
        {title && <h1>{title}</h1>}
        {about && <p className={styles.about}>{about}</p>}
        {children}
      </main>
    </div>
  );
}
