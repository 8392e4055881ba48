/** Chinese and English: which the person reads, and the words of every feature in it. */
import { createInstance, type i18n } from "i18next";

export const LANGUAGES = ["zh-CN", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const REMEMBERED = "shuke.language";

export function isLanguage(text: unknown): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** The language chosen in this browser, else the first of the browser's own that we have, else Chinese. */
export function languageToBegin(remembered: string | null, wanted: readonly string[]): Language {
  if (isLanguage(remembered)) return remembered;
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh-CN";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "zh-CN";
}

export function languageOfBrowser(): Language {
  return languageToBegin(localStorage.getItem(REMEMBERED), navigator.languages);
}

/** Whether somebody chose the language in this browser. */
export function languageWasChosen(): boolean {
  return isLanguage(localStorage.getItem(REMEMBERED));
}

export type Words = Record<string, object>;
export type WordsOf = Record<Language, () => Promise<{ default: Words }>>;

/** The words, of which only those of the language in use are loaded. */
export async function openWords(load: WordsOf, language: Language): Promise<i18n> {
  const words = createInstance();
  await words.init({
    lng: language,
    fallbackLng: false,
    interpolation: { escapeValue: false },
    resources: { [language]: (await load[language]()).default },
    returnNull: false,
    // What the brand calls its stages comes later, and is shown then.
    react: { bindI18nStore: "added" },
  });
  document.documentElement.lang = language;
  return words;
}

/** Call codes of a group otherwise than the console does itself. */
export function callOtherwise(
  words: i18n,
  group: string,
  names: Record<string, Partial<Record<Language, string>>>,
): void {
  for (const [code, said] of Object.entries(names)) {
    for (const language of LANGUAGES) {
      const name = said[language];
      const known: unknown = words.getResource(language, "names", `${group}.${code}`);
      if (name && name !== known) words.addResource(language, "names", `${group}.${code}`, name);
    }
  }
}

/** Go on in another language, and remember it. */
export async function speak(words: i18n, load: WordsOf, language: Language): Promise<void> {
  const { default: texts } = await load[language]();
  for (const [room, said] of Object.entries(texts)) words.addResourceBundle(language, room, said);
  await words.changeLanguage(language);
  document.documentElement.lang = language;
  localStorage.setItem(REMEMBERED, language);
}
