/** A chart with what belongs to it: its table for those who would rather read it, its picture, its figures as CSV. */
import { BarChartOutlined, DownloadOutlined, TableOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { lazy, Suspense, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { csvOf, type Cell } from "@/base/csv";

import { Waiting } from "./Answer";
import type { ChartHandle, ChartOption } from "./Chart";
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
  about?: string;
  /** Of the files that it is saved as. */
  name: string;
  option: ChartOption;
  columns: readonly Column[];
  height?: number;
  /** Called with the number of the row whose mark was chosen. */
  onMark?: (row: number) => void;
}

export function Figure({ title, about, name, option, columns, height = 260, onMark }: Props) {
  const { t } = useTranslation("shell");
  const [asTable, setAsTable] = useState(false);
  const chart = useRef<ChartHandle>(null);
  const save = (kind: string) => {
    if (kind === "csv") download(`${name}.csv`, URL.createObjectURL(csvFile(columns)));
    else if (chart.current) download(`${name}.svg`, chart.current.picture());
  };
  return (
    <Panel
      title={title}
      {...(about ? { about } : {})}
      actions={
        <span className={styles.tools}>
          <Button
            type="text"
            size="small"
            icon={asTable ? <BarChartOutlined /> : <TableOutlined />}
            aria-label={asTable ? t("figure.as_chart") : t("figure.as_table")}
            onClick={() => {
              setAsTable(!asTable);
            }}
          />
          <Dropdown
            trigger={["click"]}
            menu={{
              items: [
                { key: "csv", label: t("figure.csv") },
                { key: "svg", label: t("figure.svg"), disabled: asTable },
              ],
              onClick: ({ key }) => {
                save(key);
              },
            }}
          >
            <Button type="text" size="small" icon={<DownloadOutlined />} aria-label={t("figure.save", { title })} />
          </Dropdown>
        </span>
      }
    >
      {asTable ? (
        <Rows columns={columns} title={title} />
      ) : (
        <Suspense fallback={<Waiting height={height} />}>
          <Chart ref={chart} title={title} option={option} height={height} {...(onMark ? { onMark } : {})} />
        </Suspense>
      )}
    </Panel>
  );
}

function Rows({ columns, title }: { columns: readonly Column[]; title: string }) {
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
          {Array.from({ length: rows }, (_, row) => (
            <tr key={row}>
              {columns.map((column) => (
                <td key={column.title}>{column.said[row]}</td>
              ))}
            </tr>
          ))}
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
