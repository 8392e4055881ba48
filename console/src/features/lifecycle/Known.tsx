/** Of when and of what figures of the facts are, in words: no control is passed over in silence. */
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";

import type { AsKnown } from "./analysis";
import styles from "./Analysis.module.css";
import type { Narrowed } from "./views";

export function Known({ known, narrowed }: { known: AsKnown; narrowed: Narrowed }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const { first, as_of: at, currency } = known;
  const said: string[] = [];
  if (at) said.push(known.past ? t("known.past", { day: say.day(at) }) : t("known.now", { day: say.day(at) }));
  else if (first) said.push(t("known.not_yet", { day: say.day(first) }));
  if (currency && narrowed.currency && narrowed.currency !== currency)
    said.push(t("known.other_currency", { currency, other: narrowed.currency }));
  else if (currency) said.push(t("known.currency", { currency }));
  if (at && known.past) said.push(t("known.expected"));
  return (
    <p className={styles.note} role="status">
      {said.join(say.language === "zh-CN" ? "" : " ")}
    </p>
  );
}
