/** The brand's words, for every part of a statement. */
import { createContext, use } from "react";

import type { Vocabulary } from "./queries";
import type { Wording } from "./wording";

export interface Speaking {
  words: Vocabulary;
  wording: Wording;
  currency: string | null;
}

export const SpeakingContext = createContext<Speaking | null>(null);

export function useSpeaking(): Speaking {
  const found = use(SpeakingContext);
  if (!found) throw new Error("nothing is known to speak of");
  return found;
}
