/** A customer by name, with the way to their page. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useMay } from "@/features/access/session";
import { nameOf } from "@/features/lifecycle/rules";
import { answer, api } from "@/platform/client";
import { usePreferences } from "@/shell/preferences";

/** What is needed of a customer to call them something; nothing else is read. */
function useNameOf(customer: string): string {
  const { t } = useTranslation("segments");
  const { language } = usePreferences();
  const may = useMay();
  const found = useQuery({
    queryKey: ["customers", customer, "name"],
    queryFn: () =>
      answer(
        api.GET("/api/customers/{customer_id}", {
          params: { path: { customer_id: customer }, query: { fields: "attributes,identities" } },
        }),
      ),
    enabled: may("customers.read"),
  });
  if (found.error) return t("unseen");
  return found.data ? (nameOf(found.data, language) ?? t("unnamed")) : "\u2026";
}

export function Person({ customer }: { customer: string }) {
  const name = useNameOf(customer);
  return <Link to={`/customers/${customer}`}>{name}</Link>;
}
