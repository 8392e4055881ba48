/** Lifecycle and value: how customers move, what they are worth, whether they come back, and how sure all that is. */
import { Button } from "antd";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Answer, Empty, Waiting } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";
import { Sections } from "@/shell/Sections";

import { useRefresh } from "./analysis";
import { ChannelFigures } from "./ChannelFigures";
import { CohortFigures } from "./CohortFigures";
import { ModelFigures } from "./ModelFigures";
import { Narrowing } from "./Narrowing";
import { useOverview, type Overview } from "./queries";
import { RetentionFigures } from "./RetentionFigures";
import { StageFigures } from "./StageFigures";
import { ValueFigures } from "./ValueFigures";
import { addressOfView, LIFECYCLE_PARTS, viewOf, type LifecyclePart, type View } from "./views";

/** What the days are of, where it is not the first order. */
const DAYS: Partial<Record<LifecyclePart, "analysis.between" | "known.as_of">> = {
  stages: "analysis.between",
  value: "known.as_of",
};

export function LifecyclePage() {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const overview = useOverview();
  const asOf = overview.data?.refresh?.as_of;
  return (
    <Page title={t("analysis.title")} about={asOf ? t("worth.as_of", { day: say.day(asOf) }) : "\u00a0"}>
      <Answer
        of={overview}
        waiting={
          <Panel>
            <Waiting height={480} />
          </Panel>
        }
      >
        {(found) => (found.refresh ? <Parts refresh={found.refresh} /> : <NotYet customers={found.customers} />)}
      </Answer>
    </Page>
  );
}

function Parts({ refresh }: { refresh: NonNullable<Overview["refresh"]> }) {
  const { t } = useTranslation("lifecycle");
  const [address, setAddress] = useSearchParams();
  const view = useMemo(() => viewOf(address, LIFECYCLE_PARTS), [address]);
  const show = (change: Partial<View<LifecyclePart>>) => {
    setAddress(addressOfView({ ...view, ...change }, LIFECYCLE_PARTS));
  };
  // Lists of customers know one currency.
  const opens = view.currency === null || view.currency === refresh.currency;
  const bar = (currencies: readonly string[]) => (
    <Narrowing
      narrowed={view}
      days={t(DAYS[view.part] ?? "analysis.first_order")}
      oneDay={view.part === "value"}
      currencies={currencies}
      change={show}
    />
  );
  const shown: Record<LifecyclePart, () => ReactNode> = {
    stages: () => (
      <>
        {bar([])}
        <StageFigures narrowed={view} asOf={refresh.as_of} />
      </>
    ),
    value: () => (
      <>
        {bar([])}
        <ValueFigures narrowed={view} />
      </>
    ),
    cohorts: () => <CohortFigures narrowed={view} shown={view} opens={opens} bar={bar} change={show} />,
    retention: () => <RetentionFigures narrowed={view} opens={opens} bar={bar} />,
    channels: () => <ChannelFigures narrowed={view} opens={opens} bar={bar} />,
    model: () => <ModelFigures />,
  };
  return (
    <>
      <Sections
        label={t("analysis.title")}
        sections={LIFECYCLE_PARTS.map((part) => ({
          to: `?${addressOfView({ ...view, part }, LIFECYCLE_PARTS).toString()}`,
          label: t(`analysis.parts.${part}`),
          current: part === view.part,
        }))}
      />
      {shown[view.part]()}
    </>
  );
}

function NotYet({ customers }: { customers: number }) {
  const { t } = useTranslation("lifecycle");
  const may = useMay();
  const { attempt } = useDoing();
  const refresh = useRefresh();
  const asked = refresh.isSuccess;
  // Once the facts are there, the page shows them.
  useOverview(asked);
  return (
    <Panel>
      <Empty
        title={customers > 0 ? t("overview.not_refreshed") : t("customers.none")}
        action={
          customers > 0 &&
          may("lifecycle.refresh") && (
            <Button
              type="primary"
              loading={refresh.isPending}
              disabled={asked}
              onClick={() => void attempt(() => refresh.mutateAsync())}
            >
              {t("analysis.refresh")}
            </Button>
          )
        }
      >
        {asked ? (
          <span role="status">{t("analysis.refreshing")}</span>
        ) : customers > 0 ? (
          t("overview.not_refreshed_how")
        ) : (
          t("customers.none_how")
        )}
      </Empty>
    </Panel>
  );
}
