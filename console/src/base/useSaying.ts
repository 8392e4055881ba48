/** Numbers, money and moments in the reader's language and on the brand's clock. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { isLanguage, type Language } from "./language";
import { brandZone } from "./page";
import { sayAgo, sayDay, sayMoment, sayMoney, sayNumber, sayShare, sayShort, sayShortMoney, sayTime } from "./saying";

export interface Saying {
  language: Language;
  money: (minor: number, currency: string | null, whole?: boolean) => string;
  shortMoney: (minor: number, currency: string | null) => string;
  number: (value: number, digits?: number) => string;
  short: (value: number) => string;
  share: (share: number, digits?: number) => string;
  day: (moment: string) => string;
  moment: (moment: string) => string;
  time: (moment: string) => string;
  ago: (moment: string) => string;
}

export function useSaying(): Saying {
  const { i18n } = useTranslation();
  const language = isLanguage(i18n.language) ? i18n.language : "zh-CN";
  return useMemo(
    () => ({
      language,
      money: (minor, currency, whole) => sayMoney(minor, currency, language, whole),
      shortMoney: (minor, currency) => sayShortMoney(minor, currency, language),
      short: (value) => sayShort(value, language),
      number: (value, digits) => sayNumber(value, language, digits),
      share: (share, digits) => sayShare(share, language, digits),
      day: (moment) => sayDay(moment, language, brandZone),
      moment: (moment) => sayMoment(moment, language, brandZone),
      time: (moment) => sayTime(moment, language, brandZone),
      ago: (moment) => sayAgo(moment, new Date(), language),
    }),
    [language],
  );
}

/** The name of a code, such as a stage's, in the reader's language; one that has no name is shown as it is. */
export function useNames(): (group: string, code: string) => string {
  const { i18n } = useTranslation();
  const language = i18n.language;
  return useMemo(
    () => (group: string, code: string) => {
      const names: unknown = i18n.getResource(language, "names", group);
      const name = typeof names === "object" && names !== null ? (names as Record<string, unknown>)[code] : undefined;
      return typeof name === "string" ? name : code;
    },
    [i18n, language],
  );
}
