/** The frame of one page: its title in the window and on the page, what can be done, and the content. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Page.module.css";

interface Props {
  title: string;
  /** In the window's title, where the page's own says too little or too much. */
  windowTitle?: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, windowTitle, about, actions, children }: Props) {
  const { t } = useTranslation("shell");
  return (
    <>
      <title>{`${windowTitle ?? title} · ${t("brand")}`}</title>
      <header className={styles.header}>
        <div className={styles.titles}>
          <h1>{title}</h1>
          {about && <p>{about}</p>}
        </div>
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </>
  );
}

interface PanelProps {
  title?: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** One part of a page, with a heading of its own. */
export function Panel({ title, about, actions, children }: PanelProps) {
  return (
    <section className={styles.panel}>
      {(title ?? actions) && (
        <div className={styles.panelHead}>
          {title && <h2>{title}</h2>}
          {actions}
        </div>
      )}
      {about && <p className={styles.about}>{about}</p>}
      {children}
    </section>
  );
}
