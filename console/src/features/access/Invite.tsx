/** Coming in by a link: an invitation, or the way back for somebody who cannot sign in. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useNames } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import { Refused } from "@/shell/Answer";
import { usePreferences } from "@/shell/preferences";

import { Entrance } from "./Entrance";
import { NewAccount } from "./NewAccount";
import { SignIn } from "./SignIn";
import { useEnter } from "./session";

export function Invite() {
  const { t } = useTranslation("access");
  const names = useNames();
  const { language } = usePreferences();
  const enter = useEnter();
  const go = useNavigate();
  const [token] = useState(() => location.hash.slice(1));
  const [more, setMore] = useState(false);
  const found = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => answer(api.POST("/api/invitations/find", { body: { token } })),
    enabled: token !== "",
    staleTime: Infinity,
    retry: false,
  });
  const accept = useMutation({
    mutationFn: ({ name, password }: { name: string; password: string }) =>
      answer(api.POST("/api/invitations/accept", { body: { token, password, name: name || null, language } })),
    onSuccess: async ({ state }) => {
      // Of somebody with a second factor it is asked for, too: by signing in with the new password.
      if (state === "second_factor") {
        setMore(true);
        return;
      }
      await go("/", { replace: true });
      await enter();
    },
  });
  if (more) return <SignIn />;
  if (!token || found.error) {
    return (
      <Entrance title={t("invite.none")} about={t("invite.none_why")}>
        {found.error && <Refused error={found.error} />}
        <p>
          <Button href="/">{t("invite.sign_in")}</Button>
        </p>
      </Entrance>
    );
  }
  if (!found.data) return null;
  const back = found.data.kind !== "invitation";
  return (
    <Entrance
      title={back ? t("invite.back_title") : t("invite.title")}
      about={
        back
          ? t("invite.back_about", { email: found.data.email })
          : t("invite.about", { email: found.data.email, role: names("roles", found.data.role) })
      }
    >
      <NewAccount
        asks={back ? [] : ["name"]}
        email={found.data.email}
        doing={back ? t("invite.back_do") : t("invite.do")}
        busy={accept.isPending}
        error={accept.error}
        finish={(given) => {
          accept.mutate(given);
        }}
      />
    </Entrance>
  );
}
