/** What depends on whom a segment means. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Answer, Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import { useUses, type Using } from "./queries";
import styles from "./Segments.module.css";

export function UsesPart({ id }: { id: string }) {
  const { t } = useTranslation("segments");
  const uses = useUses(id);
  return (
    <Panel title={t("uses.title")} about={t("uses.about")}>
      <Answer of={uses} height={160}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t("uses.none")} />
          ) : (
            <ul className={styles.versions}>
              {items.map((one) => (
                <li key={one.id}>
                  <span>
                    {t(`uses.kinds.${one.kind}`)}: <Link to={addressOf(one)}>{one.name}</Link>
                    {one.archived && <small> · {t("uses.archived")}</small>}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  );
}

function addressOf(one: Using): string {
  return one.kind === "segment" ? `/segments/${one.id}` : "/settings/webhooks";
}
