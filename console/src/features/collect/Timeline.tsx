/** Everything that happened with a customer, newest first. */
import {
  FormOutlined,
  CustomerServiceOutlined,
  EyeOutlined,
  FlagOutlined,
  MailOutlined,
  RollbackOutlined,
  ShoppingOutlined,
  ThunderboltOutlined,
  UserOutlined,
} from "@ant-design/icons";
import { Button, Segmented, Tag } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { stageColour } from "@/base/stages";
import { useNames, useSaying } from "@/base/useSaying";
import { Answer, Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import { byDay, details, subject } from "./facts";
import { useTimeline, type Fact } from "./queries";
import styles from "./Timeline.module.css";

const FILTERS = {
  all: null,
  orders: ["order", "refund"],
  browsing: ["track", "page", "screen"],
  messages: ["message"],
  service: ["service", "survey"],
  stages: ["stage"],
} as const;
type Filter = keyof typeof FILTERS;

const ICONS: Record<string, ReactNode> = {
  order: <ShoppingOutlined />,
  refund: <RollbackOutlined />,
  stage: <FlagOutlined />,
  track: <ThunderboltOutlined />,
  page: <EyeOutlined />,
  screen: <EyeOutlined />,
  message: <MailOutlined />,
  service: <CustomerServiceOutlined />,
  survey: <FormOutlined />,
  identify: <UserOutlined />,
};

export function Timeline({ customer }: { customer: string }) {
  const { t } = useTranslation(["collect", "shell"]);
  const [filter, setFilter] = useState<Filter>("all");
  const timeline = useTimeline(customer, FILTERS[filter]);
  return (
    <Panel
      title={t("timeline.title")}
      actions={
        <div className={styles.filters}>
          <Segmented
            size="small"
            aria-label={t("timeline.filter")}
            value={filter}
            options={Object.keys(FILTERS).map((key) => ({
              value: key,
              label: t(`timeline.filters.${key as Filter}`),
            }))}
            onChange={(chosen) => {
              setFilter(chosen as Filter);
            }}
          />
        </div>
      }
    >
      <Answer of={timeline} height={480}>
        {({ pages }) => {
          const facts = pages.flatMap((page) => page.facts);
          return (
            <div className={timeline.isPlaceholderData ? styles.stale : undefined}>
              {facts.length === 0 && <Empty title={t("timeline.none")}>{t("timeline.none_how")}</Empty>}
              <Days facts={facts} />
              <div className={styles.more}>
                {timeline.hasNextPage ? (
                  <Button loading={timeline.isFetchingNextPage} onClick={() => void timeline.fetchNextPage()}>
                    {t("shell:more")}
                  </Button>
                ) : (
                  facts.length > 0 && <span>{t("shell:all_shown")}</span>
                )}
              </div>
            </div>
          );
        }}
      </Answer>
    </Panel>
  );
}

function Days({ facts }: { facts: readonly Fact[] }) {
  const say = useSaying();
  return byDay(facts, say.day).map(([day, those]) => (
    <section key={day}>
      <h3 className={styles.day}>{day}</h3>
      <ol className={styles.facts}>
        {those.map((fact) => (
          <Line key={fact.fact_id} fact={fact} />
        ))}
      </ol>
    </section>
  ));
}

function Line({ fact }: { fact: Fact }) {
  const { t } = useTranslation("collect");
  const names = useNames();
  const say = useSaying();
  const [open, setOpen] = useState(false);
  const about = subject(fact.properties);
  const shown = details(fact.properties);
  const places = [fact.channel && names("channels", fact.channel), fact.store, fact.source].filter(Boolean);
  const facts: [string, string | null][] = [
    [t("timeline.order"), fact.order_id],
    [t("timeline.received"), say.moment(fact.received_at)],
  ];
  return (
    <li className={styles.fact} data-kind={fact.kind}>
      <span className={styles.icon} aria-hidden="true">
        {ICONS[fact.kind] ?? <ThunderboltOutlined />}
      </span>
      <div className={styles.what}>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => {
            setOpen(!open);
          }}
        >
          <strong>
            <Name fact={fact} />
          </strong>
          {about && <span className={styles.about}>{about}</span>}
          {fact.simulated && <Tag>{t("timeline.simulated")}</Tag>}
        </button>
        <small>
          <time dateTime={fact.occurred_at}>{say.time(fact.occurred_at)}</time>
          {places.length > 0 && ` · ${places.join(" · ")}`}
        </small>
        {open && (
          <dl className={styles.details}>
            {facts.map(([name, text]) => text && <Pair key={name} name={name} text={text} />)}
            {shown.map(({ name, text }) => (
              <Pair key={name} name={names("properties", name)} text={text} />
            ))}
          </dl>
        )}
      </div>
      {fact.amount_minor !== null && (
        <span className={styles.amount}>
          {fact.kind === "refund" && "−"}
          {say.money(fact.amount_minor, fact.currency)}
        </span>
      )}
    </li>
  );
}

function Pair({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function Name({ fact }: { fact: Fact }) {
  const { t } = useTranslation("collect");
  const names = useNames();
  if (fact.kind === "segment") {
    const { segment } = fact.properties;
    return t(fact.name === "left" ? "timeline.left_segment" : "timeline.entered_segment", {
      segment: typeof segment === "string" ? segment : "",
    });
  }
  if (fact.kind !== "stage") return fact.name ? names("events", fact.name) : names("kinds", fact.kind);
  return (
    <>
      {t("timeline.stage")}{" "}
      <span className={styles.dot} style={{ background: stageColour(fact.name) }} aria-hidden="true" />
      {names("stages", fact.name)}
    </>
  );
}
