/** What the reader has chosen, for those parts of the shell that offer the choice. */
import { createContext, use } from "react";

import type { Appearance } from "@/base/appearance";
import type { Language } from "@/base/language";

export interface Preferences {
  language: Language;
  speak: (language: Language) => void;
  appearance: Appearance;
  dark: boolean;
  choose: (appearance: Appearance) => void;
}

export const PreferencesContext = createContext<Preferences | null>(null);

export function usePreferences(): Preferences {
  const found = use(PreferencesContext);
  if (!found) throw new Error("outside of the shell");
  return found;
}
