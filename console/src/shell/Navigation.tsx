/** Where one can go: on the left of a desk, at the bottom of a phone. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";

import styles from "./Shell.module.css";

export interface Entry {
  to: string;
  icon: ReactNode;
  label: "overview" | "customers" | "segments" | "lifecycle" | "products" | "data" | "report" | "settings";
}

export function Navigation({ entries }: { entries: readonly Entry[] }) {
  const { t } = useTranslation("shell");
  return (
    <nav className={styles.navigation} aria-label={t("navigation")}>
      <ul>
        {entries.map(({ to, icon, label }) => (
          <li key={to}>
            <NavLink to={to}>
              <span aria-hidden="true">{icon}</span>
              <span className={styles.long}>{t(`entries.${label}`)}</span>
              <span className={styles.short}>{t(`entries_short.${label}`)}</span>
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}
