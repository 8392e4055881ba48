/** The first owner. */
import { useMutation } from "@tanstack/react-query";
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { answer, api } from "@/platform/client";
import { usePreferences } from "@/shell/preferences";

import { Entrance } from "./Entrance";
import { NewAccount } from "./NewAccount";
import { useEnter } from "./session";

export function Setup() {
  const { t } = useTranslation("access");
  const { language } = usePreferences();
  const enter = useEnter();
  const go = useNavigate();
  const token = location.hash.slice(1);
  const set = useMutation({
    mutationFn: (given: { name: string; email: string; password: string }) =>
      answer(api.POST("/api/setup", { body: { token, language, ...given } })),
    onSuccess: async () => {
      await go("/", { replace: true });
      await enter();
    },
  });
  if (!token) {
    return (
      <Entrance title={t("setup.waiting")} about={t("setup.no_token")}>
        <Button href="/">{t("invite.sign_in")}</Button>
      </Entrance>
    );
  }
  return (
    <Entrance title={t("setup.title")} about={t("setup.about")}>
      <NewAccount
        asks={["name", "email"]}
        doing={t("setup.do")}
        busy={set.isPending}
        error={set.error}
        finish={(given) => {
          set.mutate(given);
        }}
      />
    </Entrance>
  );
}
