/** What the brand sells: what products bring, what goes together, what customers begin with, and the list itself. */
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { ProductList } from "@/features/catalog/ProductList";
import { Answer, Empty } from "@/shell/Answer";
import { Page, Panel } from "@/shell/Page";
import { Sections } from "@/shell/Sections";

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
      <Sections
        label={t("goods.title")}
        sections={parts.map((part) => ({
          to: `?${addressOfView({ ...view, part }, PRODUCT_PARTS).toString()}`,
          label: t(`goods.parts.${part}`),
          current: part === view.part,
        }))}
      />
      {view.part === "catalog" ? (
        shown.catalog()
      ) : (
        <Answer of={overview} height={480}>
          {(found) =>
            found.refresh ? (
              shown[view.part]()
            ) : (
              <Panel>
                <Empty title={t("overview.not_refreshed")}>{t("overview.not_refreshed_how")}</Empty>
              </Panel>
            )
          }
        </Answer>
      )}
    </Page>
  );
}
