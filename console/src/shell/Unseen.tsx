/** What only they need who do not see the page: the heading of a column that speaks for itself. */
import type { ReactNode } from "react";

import styles from "./Unseen.module.css";

export function Unseen({ children }: { children: ReactNode }) {
  return <span className={styles.unseen}>{children}</span>;
}
