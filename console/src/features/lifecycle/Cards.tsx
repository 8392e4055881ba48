/** Customers one below the other, on a phone. */
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";

import styles from "./CustomersPage.module.css";
import type { Row } from "./queries";
import { Named, Worth } from "./Rows";
import { Stage } from "./Stage";

export function Cards({ rows, currency }: { rows: readonly Row[]; currency: string | null }) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const say = useSaying();
  return (
    <ul className={styles.cards}>
      {rows.map((row) => (
        <li key={row.customer_id}>
          <div className={styles.cardTop}>
            <Named row={row} />
            {row.stage && <Stage stage={row.stage} />}
          </div>
          <div className={styles.cardRest}>
            <span>{row.phone ?? row.email}</span>
            <span className="numbers">
              <Worth row={row} currency={currency} say={say} none={t("shell:unknown")} />
            </span>
          </div>
          {row.last_order_at && (
            <small>
              {t("customers.last", {
                count: row.orders,
                number: say.number(row.orders),
                day: say.day(row.last_order_at),
              })}
            </small>
          )}
        </li>
      ))}
    </ul>
  );
}
