/** What sets the customers of a segment apart from everyone else. */
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { Answer } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import { useProfile } from "./queries";
import styles from "./Segments.module.css";
import { Traits, WorkedOut } from "./Traits";

export function ProfilePart({ id }: { id: string }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const profile = useProfile(id);
  return (
    <Panel title={t("page.part.profile")} about={t("profile.about")}>
      <Answer of={profile} waiting={<WorkedOut height={400} />}>
        {({ items, customers, against, as_of }) => (
          <>
            <Traits label={t("page.part.profile")} traits={items} one={customers} other={against} />
            <p className={styles.about}>
              {t("profile.of", { one: say.number(customers), other: say.number(against), moment: say.moment(as_of) })}
            </p>
            <p className={styles.about}>{t("traits.how")}</p>
          </>
        )}
      </Answer>
    </Panel>
  );
}
