/** The words of all features, and of the components, of which only those of one language are loaded. */
import type { Locale } from "antd/es/locale";

import type { Language, Words } from "@/base/language";

export interface Loaded {
  default: Words;
  locale: Locale;
}

export const WORDS: Record<Language, () => Promise<Loaded>> = {
  "zh-CN": () => import("./words.zh-CN"),
  en: () => import("./words.en"),
};
