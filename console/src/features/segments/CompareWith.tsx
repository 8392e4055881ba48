/** Another side to lay a segment beside: one of the other segments, or everyone who is not in it. */
import { Select } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Segment } from "./queries";
import styles from "./Segments.module.css";

const EVERYONE = "";

interface Props {
  id: string;
  /** What it lies beside now, where it does. */
  other?: string;
  segments: readonly Segment[];
}

export function CompareWith({ id, other, segments }: Props) {
  const { t } = useTranslation("segments");
  const go = useNavigate();
  const others = segments.filter((one) => one.segment_id !== id);
  return (
    <div className={styles.field}>
      <span aria-hidden="true">{t("beside.with")}</span>
      <Select
        aria-label={t("beside.with")}
        placeholder={t("beside.choose")}
        showSearch={{ optionFilterProp: "label" }}
        {...(other === undefined ? {} : { value: other })}
        options={[
          { value: EVERYONE, label: t("beside.everyone") },
          ...others.map((one) => ({ value: one.segment_id, label: one.name })),
        ]}
        onChange={(chosen: string) =>
          void go(chosen === EVERYONE ? `/segments/${id}?part=profile` : `/segments/${id}/compare/${chosen}`)
        }
      />
    </div>
  );
}
