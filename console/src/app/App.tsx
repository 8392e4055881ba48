/** Everything that all pages share: words, colours, answers, addresses. */
import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { App as Components, ConfigProvider } from "antd";
import type { Locale } from "antd/es/locale";
import type { i18n } from "i18next";
import { useMemo, useState } from "react";
import { I18nextProvider } from "react-i18next";
import { RouterProvider } from "react-router";

import { useAppearance } from "@/base/appearance";
import { speak, type Language } from "@/base/language";
import { nonce } from "@/base/page";
import { SESSION } from "@/features/access/session";
import { api } from "@/platform/client";
import { PreferencesContext } from "@/shell/preferences";

import type { openRoutes } from "./routes";
import { WORDS, type Loaded } from "./words";

interface Props {
  words: i18n;
  queries: QueryClient;
  routes: ReturnType<typeof openRoutes>;
  begin: { language: Language; locale: Locale };
}

export function App({ words, queries, routes, begin }: Props) {
  const { appearance, dark, theme, choose } = useAppearance();
  const [said, setSaid] = useState(begin);
  const csp = useMemo(() => ({ nonce }), []);

  const change = async (language: Language) => {
    const { locale }: Loaded = await WORDS[language]();
    await speak(words, WORDS, language);
    setSaid({ language, locale });
    // On the account, too, so that the next browser begins with it.
    if (queries.getQueryData(SESSION)) await api.PATCH("/api/session", { body: { language } });
    // What the server said is in the former language.
    await queries.invalidateQueries();
  };

  const preferences = {
    language: said.language,
    speak: (language: Language) => void change(language),
    appearance,
    dark,
    choose,
  };
  return (
    <I18nextProvider i18n={words}>
      <QueryClientProvider client={queries}>
        <ConfigProvider locale={said.locale} theme={theme} csp={csp} button={{ autoInsertSpace: false }}>
          <Components className="shuke">
            <PreferencesContext value={preferences}>
              <RouterProvider router={routes} />
            </PreferencesContext>
          </Components>
        </ConfigProvider>
      </QueryClientProvider>
    </I18nextProvider>
  );
}
