/** What the brand sells: what products bring, what goes together, what customers begin with, and the list itself. */
import { Tabs } from "antd";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { ProductList } from "@/features/catalog/ProductList";
import { Empty, Waiting } from "@/shell/Answer";
import { Page, Panel } from "@/shell/Page";

import { BasketFigures, ContributionFigures, FirstProductFigures } from "./GoodsFigures";
import { Narrowing } from "./Narrowing";
import { useOverview } from "./queries";
import { addressOfView, PRODUCT_PARTS, viewOf, type ProductPart, type View } from "./views";

export function ProductsPage() {
  const { t } = useTranslation("lifecycle");
  const may = useMay();
  if (may("lifecycle.read")) return <Parts />;
  return (
    <Page title={t("goods.title")}>
      <ProductList />
    </Page>
  );
}

function Parts() {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const may = useMay();
  const overview = useOverview();
  const refresh = overview.data?.refresh;
  const [address, setAddress] = useSearchParams();
  const view = useMemo(() => viewOf(address, PRODUCT_PARTS), [address]);
  const show = (change: Partial<View<ProductPart>>) => {
    setAddress(addressOfView({ ...view, ...change }, PRODUCT_PARTS));
  };
  // Lists of customers know one currency.
  const opens = view.currency === null || view.currency === refresh?.currency;
  const bar = (currencies: readonly string[]) => (
    <Narrowing
      narrowed={view}
      days={view.part === "first" ? t("analysis.first_order") : t("analysis.ordered")}
      withDays
      currencies={currencies}
      change={show}
    />
  );
  const shown: Record<ProductPart, () => ReactNode> = {
    contribution: () => (
      <ContributionFigures
        narrowed={view}
        by={view.by}
        opens={opens}
        bar={bar}
        change={(by) => {
          show({ by });
        }}
      />
    ),
    baskets: () => <BasketFigures narrowed={view} opens={opens} bar={bar} />,
    first: () => <FirstProductFigures narrowed={view} opens={opens} bar={bar} />,
    catalog: () => <ProductList />,
  };
  const parts = PRODUCT_PARTS.filter((part) => part !== "catalog" || may("catalog.read"));
  return (
    <Page title={t("goods.title")} about={refresh ? t("worth.as_of", { day: say.day(refresh.as_of) }) : "\u00a0"}>
      <Tabs
        activeKey={view.part}
        destroyOnHidden
        items={parts.map((part) => ({
          key: part,
          label: t(`goods.parts.${part}`),
          children:
            part === view.part &&
            (part !== "catalog" && overview.data && !refresh ? (
              <Panel>
                <Empty title={t("overview.not_refreshed")}>{t("overview.not_refreshed_how")}</Empty>
              </Panel>
            ) : part !== "catalog" && !overview.data ? (
              <Panel>
                <Waiting height={480} />
              </Panel>
            ) : (
              shown[part]()
            )),
        }))}
        onChange={(part) => {
          show({ part: parts.find((one) => one === part) ?? "contribution" });
        }}
      />
    </Page>
  );
}
