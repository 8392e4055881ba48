/** What the latest report found, each leading to where it says so. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { minorDigits } from "@/base/saying";
import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Panel } from "@/shell/Page";

import { useFindings, type Finding } from "./queries";
import styles from "./ReportPage.module.css";

const SHOWN = 5;

export function LatestFindings() {
  const may = useMay();
  return may("reports.read") ? <Findings /> : null;
}

function Findings() {
  const { t } = useTranslation("reports");
  const say = useSaying();
  const { data } = useFindings(say.language);
  // Before the first report there is nothing to say, and nothing to wait for.
  if (!data?.report || data.findings.length === 0) return null;
  const { report, findings } = data;
  const sized = (one: Finding) =>
    one.money === null
      ? null
      : say.money(one.money * 10 ** (report.currency ? minorDigits(report.currency) : 0), report.currency, true);
  return (
    <Panel
      title={t("findings.title")}
      actions={<Link to={`/report?report=${report.report_id}`}>{t("findings.all")}</Link>}
    >
      <ul className={styles.findings}>
        {findings.slice(0, SHOWN).map((one) => (
          <li key={one.code}>
            <Link to={`/report?report=${report.report_id}#finding-${one.code}`}>{one.headline}</Link>
            {one.money !== null && (
              <span className="numbers">
                <strong>{sized(one)}</strong>
                {one.money_label}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
