/** The console begins: words first, so that nothing is shown in a language that nobody reads. */
import "./base.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { languageOfBrowser, openWords } from "@/base/language";
import { signStyles } from "@/base/page";
import { openQueries } from "@/platform/queries";

import { App } from "./App";
import { WORDS } from "./words";

async function begin(root: HTMLElement): Promise<void> {
  signStyles();
  const language = languageOfBrowser();
  const { locale } = await WORDS[language]();
  const words = await openWords(WORDS, language);
  createRoot(root).render(
    <StrictMode>
      <App words={words} queries={openQueries()} begin={{ language, locale }} />
    </StrictMode>,
  );
}

const root = document.getElementById("root");
if (root) void begin(root);
