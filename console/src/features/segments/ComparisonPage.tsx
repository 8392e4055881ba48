/** Two segments beside each other: who is in which, what they are worth, and in what they differ. */
import { SwapOutlined } from "@ant-design/icons";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useSaying } from "@/base/useSaying";
import { useOverview } from "@/features/lifecycle/queries";
import { Answer, Empty } from "@/shell/Answer";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";

import { CompareWith } from "./CompareWith";
import { useComparison, useSegments, type Comparison } from "./queries";
import styles from "./Segments.module.css";
import { Traits, WorkedOut } from "./Traits";

export function ComparisonPage() {
  const { t } = useTranslation("segments");
  const { segment: id = "", other = "" } = useParams();
  const segments = useSegments();
  const comparison = useComparison(id, other);
  const named = (wanted: string) => segments.data?.items.find((one) => one.segment_id === wanted)?.name ?? "…";
  return (
    <Page
      title={t("beside.title", { one: named(id), other: named(other) })}
      actions={
        <>
          <LinkButton to={`/segments/${id}`}>{t("beside.back", { name: named(id) })}</LinkButton>
          <LinkButton icon={<SwapOutlined />} to={`/segments/${other}/compare/${id}`}>
            {t("beside.turn")}
          </LinkButton>
        </>
      }
    >
      {segments.data && <CompareWith id={id} other={other} segments={segments.data.items} />}
      <Answer
        of={comparison}
        waiting={
          <Panel>
            <WorkedOut height={400} />
          </Panel>
        }
      >
        {(found) => <Beside found={found} />}
      </Answer>
    </Page>
  );
}

function Beside({ found }: { found: Comparison }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const { one, other } = found;
  const names = { one: one.name, other: other.name };
  const same = found.only_one === 0 && found.only_other === 0;
  return (
    <>
      <Shared found={found} />
      <Panel title={t("page.part.profile")} about={t("beside.about", names)}>
        {same ? (
          <Empty title={t("beside.same")} />
        ) : (
          <Traits label={t("page.part.profile")} traits={found.items} one={one.customers} other={other.customers} />
        )}
        <p className={styles.about}>
          {t("beside.of", {
            ...names,
            number: say.number(one.customers),
            number_other: say.number(other.customers),
            moment: say.moment(found.as_of),
          })}
        </p>
        <p className={styles.about}>{t("traits.how")}</p>
      </Panel>
    </>
  );
}

function Shared({ found }: { found: Comparison }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  // What is missing of it is only how money is written.
  const currency = useOverview().data?.refresh?.currency ?? null;
  const { one, other } = found;
  const parts = [
    { name: t("beside.only", { name: one.name }), customers: found.only_one },
    { name: t("beside.both"), customers: found.both },
    { name: t("beside.only", { name: other.name }), customers: found.only_other },
  ];
  const all = parts.reduce((sum, part) => sum + part.customers, 0);
  const shares = parts.map((part) => (all === 0 ? 0 : part.customers / all));
  return (
    <Panel title={t("beside.shared")}>
      <svg className={styles.shared} width="100%" height="12" aria-hidden="true">
        {shares.map((share, at) => (
          <rect
            key={at}
            x={`${100 * shares.slice(0, at).reduce((sum, before) => sum + before, 0)}%`}
            width={`${100 * share}%`}
            height="12"
          />
        ))}
      </svg>
      <dl className={styles.three}>
        {parts.map((part, at) => (
          <div key={at}>
            <dt>{part.name}</dt>
            <dd>
              {say.number(part.customers)}
              <small>{t("beside.share", { share: say.share(shares[at] ?? 0) })}</small>
            </dd>
          </div>
        ))}
      </dl>
      <ul className={styles.worth}>
        {[one, other].map((side) => (
          <li key={side.segment_id}>
            <Link to={`/segments/${side.segment_id}`}>{side.name}</Link>{" "}
            {t("beside.worth", {
              count: side.customers,
              number: say.number(side.customers),
              money: say.money(side.value_minor, currency, true),
              each: say.money(side.customers === 0 ? 0 : Math.round(side.value_minor / side.customers), currency, true),
            })}
          </li>
        ))}
      </ul>
      <p className={styles.about}>{t("beside.worth_what")}</p>
    </Panel>
  );
}
