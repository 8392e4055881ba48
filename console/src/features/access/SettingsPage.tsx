/** The settings, one page each. */
import { useTranslation } from "react-i18next";
import { Navigate, NavLink, Outlet } from "react-router";

import { useMay } from "./session";
import styles from "./SettingsPage.module.css";

export interface Setting {
  to: string;
  label: "brand" | "stages" | "attributes" | "stores" | "channels" | "team" | "roles" | "keys" | "webhooks" | "audit";
  /** What one must be allowed to see it. */
  permission: string;
}

export function SettingsPage({ settings }: { settings: readonly Setting[] }) {
  const { t } = useTranslation("access");
  const may = useMay();
  return (
    <div className={styles.frame}>
      <nav aria-label={t("settings.title")} className={styles.tabs}>
        <ul>
          {settings
            .filter((one) => may(one.permission))
            .map((one) => (
              <li key={one.to}>
                <NavLink to={one.to}>{t(`settings.${one.label}`)}</NavLink>
              </li>
            ))}
        </ul>
      </nav>
      <div className={styles.content}>
        <Outlet />
      </div>
    </div>
  );
}

/** The first of the settings that one may see. */
export function FirstSetting({ settings }: { settings: readonly Setting[] }) {
  const may = useMay();
  const first = settings.find((one) => may(one.permission));
  return <Navigate to={first?.to ?? "/account"} replace />;
}
