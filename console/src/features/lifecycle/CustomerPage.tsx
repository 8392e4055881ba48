/** One customer seen whole. */
import { Tag } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useNames, useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Orders } from "@/features/collect/Orders";
import { Timeline } from "@/features/collect/Timeline";
import { Attributes } from "@/features/profiles/Attributes";
import { Consents } from "@/features/profiles/Consents";
import { Identities } from "@/features/profiles/Identities";
import { Reveal, type Revealed } from "@/features/profiles/Reveal";
import { Tags } from "@/features/profiles/Tags";
import { Problem } from "@/platform/client";
import { Answer, Empty, Waiting } from "@/shell/Answer";
import { Page, Panel } from "@/shell/Page";

import styles from "./CustomerPage.module.css";
import { useCustomer, type Facts, type Whole } from "./queries";
import { Stage } from "./Stage";
import { inClear, nameOf } from "./rules";

export function CustomerPage() {
  const { t } = useTranslation("lifecycle");
  const { customer = "" } = useParams();
  const found = useCustomer(customer);
  if (found.error instanceof Problem && (found.error.status === 404 || found.error.status === 422)) {
    return (
      <Page title={t("customer.nobody")}>
        <Empty title={t("customer.nobody_what")} action={<Link to="/customers">{t("customer.to_list")}</Link>}>
          {t("customer.nobody_why")}
        </Empty>
      </Page>
    );
  }
  return (
    <Answer
      of={found}
      waiting={
        <Page title={t("customer.title")}>
          <Panel>
            <Waiting height={150} />
          </Panel>
          <Panel>
            <Waiting height={480} />
          </Panel>
        </Page>
      }
    >
      {({ thing, tag }) => <Seen whole={thing} tag={tag} />}
    </Answer>
  );
}

function Seen({ whole, tag }: { whole: Whole; tag: string }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const { i18n } = useTranslation();
  const may = useMay();
  const [revealed, setRevealed] = useState<Revealed | null>(null);
  const shown = revealed ? inClear(whole, revealed) : whole;
  const name = nameOf(shown, i18n.language) ?? t("customer.unnamed");
  return (
    <Page
      title={name}
      actions={
        may("customers.reveal") && <Reveal customer={whole.customer_id} revealed={revealed} show={setRevealed} />
      }
      about={
        <>
          {whole.computed && (
            <>
              <Stage stage={whole.computed.stage} /> ·{" "}
              {t("customer.stage_since", { day: say.day(whole.computed.stage_since) })} ·{" "}
            </>
          )}
          {t("customer.known_since", { day: say.day(whole.created_at) })}
        </>
      }
    >
      <div className={styles.tags}>
        <Tags customer={whole.customer_id} tags={whole.tags} writes={may("customers.write")} />
      </div>
      {whole.computed ? <Worth facts={whole.computed} /> : <NotYet />}
      <div className={styles.columns}>
        <div>
          {may("orders.read") && whole.computed && <Orders customer={whole.customer_id} />}
          <Timeline customer={whole.customer_id} />
        </div>
        <div>
          <Attributes
            customer={whole.customer_id}
            values={shown.attributes}
            tag={tag}
            writes={may("customers.write")}
          />
          <Identities
            customer={whole.customer_id}
            identities={shown.identities}
            writes={may("customers.write")}
            merges={may("customers.merge")}
          />
          <Consents customer={whole.customer_id} consents={whole.consents} writes={may("privacy.write")} />
          {whole.household.length > 0 && <Household members={whole.household} />}
        </div>
      </div>
    </Page>
  );
}

/** What the customer has been worth, is expected to be, and how sure that is. */
function Worth({ facts }: { facts: Facts }) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const say = useSaying();
  const money = (minor: number) => say.money(minor, facts.currency, true);
  return (
    <Panel>
      <dl className={styles.figures}>
        <Figure name={t("worth.historic")} value={money(facts.historic_clv_minor)}>
          {t("worth.orders", { count: facts.orders, average: money(facts.average_order_minor) })}
        </Figure>
        <Figure
          name={t("worth.predicted", { count: facts.horizon_days })}
          value={facts.predicted_clv_minor === null ? t("worth.unsaid") : money(facts.predicted_clv_minor)}
        >
          {facts.predicted_clv_low_minor !== null &&
            facts.predicted_clv_high_minor !== null &&
            t("worth.between", {
              low: money(facts.predicted_clv_low_minor),
              high: money(facts.predicted_clv_high_minor),
            })}
        </Figure>
        <Figure
          name={t("worth.next")}
          value={facts.expected_date_of_next_order ? say.day(facts.expected_date_of_next_order) : t("worth.unsaid")}
        >
          {facts.average_days_between_orders !== null &&
            t("worth.usual", { count: Math.round(facts.average_days_between_orders) })}
        </Figure>
        <Figure
          name={t("worth.churn")}
          value={facts.churn_probability === null ? t("worth.unsaid") : say.share(facts.churn_probability, 0)}
        >
          {t("worth.last", { day: say.day(facts.last_order_at), count: facts.recency_days })}
        </Figure>
        <Figure name="RFM" value={`${facts.r_score} · ${facts.f_score} · ${facts.m_score}`}>
          {names("rfm_groups", facts.rfm_group)}
        </Figure>
      </dl>
      <p className={styles.as_of}>
        {t("worth.as_of", { day: say.day(facts.as_of) })}
        {facts.cannot_say.map((one) => (
          <Tag key={one.code}>{names("unsaid", one.code)}</Tag>
        ))}
      </p>
    </Panel>
  );
}

function Figure({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className={styles.value}>{value}</span>
        {children && <small>{children}</small>}
      </dd>
    </div>
  );
}

function NotYet() {
  const { t } = useTranslation("lifecycle");
  return (
    <Panel>
      <Empty title={t("worth.none")}>{t("worth.none_why")}</Empty>
    </Panel>
  );
}

function Household({ members }: { members: readonly string[] }) {
  const { t } = useTranslation("lifecycle");
  return (
    <Panel title={t("household.title")}>
      <ul className={styles.household}>
        {members.map((member, at) => (
          <li key={member}>
            <Link to={`/customers/${member}`}>{t("household.member", { number: at + 1 })}</Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
