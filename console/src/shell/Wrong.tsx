/** A page that failed or is not there, inside the shell: the rest goes on. */
import { Button } from "antd";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

import { Problem } from "@/platform/client";

import { Empty, Refused } from "./Answer";
import { Page } from "./Page";

export function Wrong() {
  const { t } = useTranslation("shell");
  const error = useRouteError();
  const newer = error instanceof TypeError && error.message.includes("import");
  return (
    <Page title={t("wrong.title")}>
      {error instanceof Problem ? (
        <Refused error={error} />
      ) : (
        <Empty
          title={newer ? t("wrong.newer") : t("wrong.mistake")}
          action={
            <Button
              type="primary"
              onClick={() => {
                location.reload();
              }}
            >
              {t("wrong.reload")}
            </Button>
          }
        >
          {newer ? t("wrong.newer_do") : t("wrong.mistake_do")}
        </Empty>
      )}
    </Page>
  );
}

export function Nowhere() {
  const { t } = useTranslation("shell");
  return (
    <Page title={t("nowhere.title")}>
      <Empty title={t("nowhere.what")} action={<Link to="/customers">{t("nowhere.go")}</Link>}>
        {t("nowhere.why")}
      </Empty>
    </Page>
  );
}
