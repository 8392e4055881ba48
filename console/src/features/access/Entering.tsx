/** The way in, where nobody is signed in: signing in, or, before there is an owner, how one comes to be. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answer, api } from "@/platform/client";

import { Entrance } from "./Entrance";
import { SignIn } from "./SignIn";

export default function Entering() {
  const setup = useQuery({ queryKey: ["setup"], queryFn: () => answer(api.GET("/api/setup")) });
  if (setup.isPending) return null;
  return setup.data?.needed ? <NoOwner /> : <SignIn />;
}

function NoOwner() {
  const { t } = useTranslation("access");
  return (
    <Entrance title={t("setup.waiting")} about={t("setup.waiting_how")}>
      <code>shuke serve</code>
    </Entrance>
  );
}
