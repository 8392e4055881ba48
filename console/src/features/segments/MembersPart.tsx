/** Who is in a segment, since when, and why. */
import { Button, Drawer } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { customersAt } from "@/features/lifecycle/wanted";
import { Answer, Empty } from "@/shell/Answer";
import { LinkButton } from "@/shell/LinkButton";
import { Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";

import { Person } from "./Person";
import { useExplanation, useMembers, type Explained, type Segment } from "./queries";
import styles from "./Segments.module.css";

export function MembersPart({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const members = useMembers(segment.segment_id);
  const [asked, setAsked] = useState<string | null>(null);
  return (
    <Panel
      title={t("members.title")}
      about={t("members.about")}
      actions={
        <LinkButton to={customersAt({ segment: segment.segment_id })} title={t("members.open_what")}>
          {t("members.open")}
        </LinkButton>
      }
    >
      <Rows
        label={t("members.title")}
        of={members}
        rowKey="customer_id"
        columns={[
          { title: t("members.customer"), render: (_, one) => <Person customer={one.customer_id} /> },
          { title: t("members.since"), render: (_, one) => say.moment(one.since) },
          {
            title: t("members.why"),
            render: (_, one) => (
              <Button
                type="link"
                size="small"
                onClick={() => {
                  setAsked(one.customer_id);
                }}
              >
                {t("members.why")}
              </Button>
            ),
          },
        ]}
        empty={<Empty title={t("members.none")}>{t("members.none_why")}</Empty>}
      />
      {asked !== null && (
        <Drawer
          open
          size={420}
          title={t("why.title")}
          onClose={() => {
            setAsked(null);
          }}
        >
          <Why segment={segment.segment_id} customer={asked} />
        </Drawer>
      )}
    </Panel>
  );
}

/** Which statements hold of a customer at this moment, and by which facts. */
function Why({ segment, customer }: { segment: string; customer: string }) {
  const { t } = useTranslation("segments");
  const why = useExplanation(segment, customer);
  return (
    <>
      <p>
        <Person customer={customer} />
      </p>
      <p className={styles.about}>{t("why.now")}</p>
      <Answer of={why} height={240}>
        {(found) => (
          <ul className={`${styles.explained ?? ""} ${styles.first ?? ""}`}>
            <Holding part={found} />
          </ul>
        )}
      </Answer>
    </>
  );
}

function Holding({ part }: { part: Explained }) {
  const { t } = useTranslation("segments");
  return (
    <li>
      <strong className={part.holds ? styles.holds : styles.fails}>{part.holds ? "✓" : "✗"}</strong>{" "}
      <span className={styles.small}>{t(part.holds ? "why.holds" : "why.fails")}:</span> {part.text}
      {part.known !== null && <div className={styles.known}>{t("why.known", { known: part.known })}</div>}
      <Facts of={part} />
      {part.parts.length > 0 && (
        <ul className={styles.explained}>
          {part.parts.map((one, at) => (
            <Holding key={at} part={one} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** What the statement looked at: the latest that count, or the last one before where none does. */
function Facts({ of }: { of: Explained }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const counting = of.facts.filter((one) => one.counts).length;
  if (of.found === null) return null;
  return (
    <ul className={`${styles.explained ?? ""} ${styles.known ?? ""}`}>
      {of.facts.map((one, at) => (
        <li key={at}>
          {say.moment(one.at)} · {one.text}
          {!one.counts && <span className={styles.small}> ({t("why.outside")})</span>}
        </li>
      ))}
      {of.found === 0 && of.facts.length === 0 && <li>{t("why.never")}</li>}
      {of.found > counting && <li>{t("why.more", { count: of.found - counting })}</li>}
    </ul>
  );
}
