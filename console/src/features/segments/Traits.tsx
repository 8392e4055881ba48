/** In what two sides differ: each difference as a sentence with both figures, and how great it is. */
import { PlusOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Empty, Waiting } from "@/shell/Answer";
import { LinkButton } from "@/shell/LinkButton";

import type { Trait } from "./queries";
import styles from "./Segments.module.css";
import { fillOf, LEAST, silence, sizeOf } from "./traits";

const WIDTH = 80;
const HEIGHT = 8;

interface Props {
  label: string;
  traits: readonly Trait[];
  /** How many customers each side has. */
  one: number;
  other: number;
  /** How many are shown until all are asked for. */
  first?: number;
}

export function Traits({ label, traits, one, other, first = 12 }: Props) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const may = useMay();
  const [all, setAll] = useState(false);
  const silent = silence(one, other, traits);
  if (silent === "few")
    return (
      <Empty title={t("traits.few")}>
        {t("traits.few_why", { least: LEAST, one: say.number(one), other: say.number(other) })}
      </Empty>
    );
  if (silent === "alike") return <Empty title={t("traits.alike")}>{t("traits.alike_why")}</Empty>;
  return (
    <>
      {silent === "hardly" && <p>{t("traits.hardly")}</p>}
      <table className={styles.traits} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{t("traits.what")}</th>
            <th scope="col">{t("traits.effect")}</th>
          </tr>
        </thead>
        <tbody>
          {traits.slice(0, all ? undefined : first).map((trait, at) => (
            <tr key={at}>
              <th scope="row">
                {trait.text}
                {may("segments.write") && trait.definition && (
                  <LinkButton
                    to="/segments/new"
                    state={{ definition: trait.definition }}
                    type="text"
                    size="small"
                    icon={<PlusOutlined />}
                    title={t("groups.keep")}
                    aria-label={t("groups.keep_one", { name: trait.text })}
                  />
                )}
              </th>
              <td>
                <Effect effect={trait.effect} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && traits.length > first && (
        <p>
          <Button
            size="small"
            onClick={() => {
              setAll(true);
            }}
          >
            {t("traits.all", { count: traits.length })}
          </Button>
        </p>
      )}
    </>
  );
}

function Effect({ effect }: { effect: number }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  return (
    <>
      <svg className={styles.effect} width={WIDTH} height={HEIGHT} aria-hidden="true">
        <rect className={effect < 0 ? styles.less : undefined} width={fillOf(effect) * WIDTH} height={HEIGHT} rx={2} />
      </svg>
      <span>
        {t(`traits.sizes.${sizeOf(effect)}`)}{" "}
        <small>{`${effect < 0 ? "−" : "+"}${say.number(Math.abs(effect), 2)}`}</small>
      </span>
    </>
  );
}

/** What is worked out of all customers is not there at once. */
export function WorkedOut({ height }: { height: number }) {
  const { t } = useTranslation("segments");
  return (
    <>
      <p className={styles.about}>{t("traits.waiting")}</p>
      <Waiting height={height} />
    </>
  );
}
