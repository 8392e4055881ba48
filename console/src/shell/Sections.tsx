/** The parts of a page, each with an address of its own; where they do not fit, they are scrolled. */
import { Link } from "react-router";

import styles from "./Sections.module.css";

interface Props {
  label: string;
  sections: readonly { to: string; label: string; current: boolean }[];
}

export function Sections({ label, sections }: Props) {
  return (
    <nav className={styles.sections} aria-label={label}>
      <ul>
        {sections.map((one) => (
          <li key={one.to}>
            <Link to={one.to} aria-current={one.current ? "page" : undefined}>
              {one.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
