/** A chart with what belongs to it: how its figures are worked out, its table, its picture, its figures as CSV; and from
 * each mark, or row of the table, the way to whom it stands for. */
import { BarChartOutlined, DownloadOutlined, QuestionCircleOutlined, TableOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { lazy, Suspense, useCallback, useId, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { csvOf, type Cell } from "@/base/csv";

import { Waiting } from "./Answer";
import type { ChartHandle, ChartOption, Mark } from "./Chart";
import styles from "./Figure.module.css";
import { Panel } from "./Page";

const Chart = lazy(async () => ({ default: (await import("./Chart")).Chart }));

export interface Column {
  title: string;
  /** Of each row, as it is and as it is said. */
  cells: readonly Cell[];
  said: readonly string[];
}

interface Props {
  title: string;
  about?: ReactNode;
  /** How the figures are worked out. */
  how?: string;
  /** Of the files that it is saved as. */
  name: string;
  option: ChartOption;
  columns: readonly Column[];
  height?: number;
  minWidth?: number;
  /** The address of those whom a row stands for; the marks of the chart are in the order of the rows. */
  opens?: (row: number) => string | null;
  /** Likewise of a node that flows begin or end at. */
  opensNode?: (node: string) => string | null;
  /** What changes how it is drawn. */
  tools?: ReactNode;
}

export function Figure({
  title,
  about,
  how,
  name,
  option,
  columns,
  height = 260,
  minWidth,
  opens,
  opensNode,
  tools,
}: Props) {
  const { t } = useTranslation("shell");
  const go = useNavigate();
  const [asTable, setAsTable] = useState(false);
  const [explained, setExplained] = useState(false);
  const explanation = useId();
  const chart = useRef<ChartHandle>(null);
  const save = async (kind: string) => {
    if (kind === "csv") download(`${name}.csv`, URL.createObjectURL(csvFile(columns)));
    else if (chart.current && (kind === "svg" || kind === "png"))
      download(`${name}.${kind}`, await chart.current.picture(kind));
  };
  const onMark = useCallback(
    (mark: Mark) => {
      const to = "row" in mark ? opens?.(mark.row) : opensNode?.(mark.node);
      if (to) void go(to);
    },
    [go, opens, opensNode],
  );
  const scrolls = minWidth !== undefined;
  return (
    <Panel
      title={title}
      {...(about ? { about } : {})}
      actions={
        <span className={styles.tools}>
          {tools}
          {how && (
            <Button
              type="text"
              size="small"
              icon={<QuestionCircleOutlined />}
              aria-label={t("figure.how", { title })}
              aria-expanded={explained}
              aria-controls={explanation}
              onClick={() => {
                setExplained(!explained);
              }}
            />
          )}
          <Button
            type="text"
            size="small"
            icon={asTable ? <BarChartOutlined /> : <TableOutlined />}
            aria-label={asTable ? t("figure.as_chart", { title }) : t("figure.as_table", { title })}
            onClick={() => {
              setAsTable(!asTable);
            }}
          />
          <Dropdown
            trigger={["click"]}
            menu={{
              items: [
                { key: "csv", label: t("figure.csv") },
                { key: "png", label: t("figure.png"), disabled: asTable },
                { key: "svg", label: t("figure.svg"), disabled: asTable },
              ],
              onClick: ({ key }) => void save(key),
            }}
          >
            <Button type="text" size="small" icon={<DownloadOutlined />} aria-label={t("figure.save", { title })} />
          </Dropdown>
        </span>
      }
    >
      <p id={explanation} className={styles.how} hidden={!explained}>
        {how}
      </p>
      {asTable ? (
        <Rows columns={columns} title={title} {...(opens ? { opens } : {})} />
      ) : (
        <div
          className={scrolls ? styles.wide : undefined}
          {...(scrolls ? { tabIndex: 0, role: "region", "aria-label": title } : {})}
        >
          <Suspense fallback={<Waiting height={height} />}>
            <Chart
              ref={chart}
              title={title}
              option={option}
              height={height}
              {...(scrolls ? { minWidth } : {})}
              {...(opens || opensNode ? { onMark } : {})}
            />
          </Suspense>
        </div>
      )}
    </Panel>
  );
}

interface RowsProps {
  columns: readonly Column[];
  title: string;
  opens?: (row: number) => string | null;
}

function Rows({ columns, title, opens }: RowsProps) {
  const rows = columns[0]?.said.length ?? 0;
  return (
    // Who uses the keyboard scrolls it, too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={title}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col">
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: rows }, (_, row) => {
            const to = opens?.(row);
            return (
              <tr key={row}>
                {columns.map((column, at) => (
                  <td key={column.title}>
                    {at === 0 && to ? <Link to={to}>{column.said[row]}</Link> : column.said[row]}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function csvFile(columns: readonly Column[]): Blob {
  const rows = columns[0]?.cells.length ?? 0;
  const cells = Array.from({ length: rows }, (_, row) => columns.map((column) => column.cells[row] ?? null));
  const text = csvOf([columns.map((column) => column.title), ...cells]);
  return new Blob([text], { type: "text/csv;charset=utf-8" });
}

function download(name: string, address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  if (address.startsWith("blob:")) URL.revokeObjectURL(address);
}
