/**
 * The console begins: who is signed in and words first, so that nothing is shown in a language that nobody reads, nor
 * twice. The page's own program is loaded meanwhile.
 */
import "./base.css";

import { startTransition, StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { languageOfBrowser, languageWasChosen, openWords } from "@/base/language";
import { signStyles } from "@/base/page";
import { sessionAtFirst } from "@/features/access/session";
import { openQueries } from "@/platform/queries";

import { App } from "./App";
import { isGated, openRoutes } from "./routes";
import { WORDS } from "./words";

async function begin(root: HTMLElement): Promise<void> {
  signStyles();
  const queries = openQueries();
  const routes = openRoutes();
  const asked = isGated(routes) ? sessionAtFirst(queries) : null;
  const guess = languageOfBrowser();
  // Most accounts are in the language of their browser, so its words need not wait.
  const guessed = WORDS[guess]();
  const session = await asked;
  const language = session && !languageWasChosen() ? session.language : guess;
  const { locale } = language === guess ? await guessed : await WORDS[language]();
  const words = await openWords(WORDS, language);
  // In slices between which the browser can do other things; at once, it would be deaf meanwhile.
  startTransition(() => {
    createRoot(root).render(
      <StrictMode>
        <App words={words} queries={queries} routes={routes} begin={{ language, locale }} />
      </StrictMode>,
    );
  });
}

const root = document.getElementById("root");
if (root) void begin(root);
