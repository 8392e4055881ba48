/** What surrounds every page: navigation, search, language, appearance, and the way past them for the keyboard. */
import { useEffect, useRef, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, useLocation, useNavigation } from "react-router";

import { Navigation, type Entry } from "./Navigation";
import styles from "./Shell.module.css";

interface Props {
  entries: readonly Entry[];
  tools: ReactNode;
}

export function Shell({ entries, tools }: Props) {
  const { t } = useTranslation("shell");
  const { pathname } = useLocation();
  const waiting = useNavigation().state !== "idle";
  const content = useRef<HTMLElement>(null);
  const first = useRef(true);

  // Whoever listens to the page hears that it is another one, and goes on from its beginning.
  useEffect(() => {
    if (!first.current) content.current?.focus({ preventScroll: true });
    first.current = false;
    window.scrollTo(0, 0);
  }, [pathname]);

  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#content">
        {t("skip")}
      </a>
      <span className={styles.brand}>
        <span className={styles.mark} aria-hidden="true">
          熟
        </span>
        {t("brand")}
      </span>
      <header className={styles.top}>
        <div className={styles.tools}>{tools}</div>
      </header>
      <Navigation entries={entries} />
      <main id="content" ref={content} tabIndex={-1} className={styles.content} aria-busy={waiting}>
        <Outlet />
      </main>
    </div>
  );
}
