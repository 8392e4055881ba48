/** Customers as a table, on a desk. */
import { Tag, type TableColumnsType } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useNames, useSaying, type Saying } from "@/base/useSaying";

import { Grid } from "@/shell/Grid";

import styles from "./CustomersPage.module.css";
import type { Row } from "./queries";
import { rowName } from "./rules";
import { Stage } from "./Stage";
import type { Column } from "./viewing";
import type { Sort, Wanted } from "./wanted";

interface Props {
  rows: Row[];
  currency: string | null;
  columns: readonly Column[];
  sorting: { sort: Sort; descending: boolean };
  want: (change: Partial<Wanted>) => void;
  /** Those who are ticked, and what to do when others are; left out where nothing can be done with them. */
  ticking?: { ticked: readonly string[]; tick: (ticked: string[]) => void } | undefined;
}

export function Rows({ rows, currency, columns, sorting, want, ticking }: Props) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const names = useNames();
  const say = useSaying();
  const none = t("shell:unknown");
  const sorted = (sort: Sort) => ({
    key: sort,
    sorter: true,
    sortOrder: sorting.sort === sort ? (sorting.descending ? ("descend" as const) : ("ascend" as const)) : null,
    sortDirections: ["descend" as const, "ascend" as const, "descend" as const],
  });
  const right = { align: "right" as const, className: "numbers" };
  const all: Record<Column, TableColumnsType<Row>[number]> = {
    contact: { title: t("columns.contact"), render: (_, row) => row.phone ?? row.email ?? none },
    phone: { title: t("columns.phone"), render: (_, row) => row.phone ?? none },
    email: { title: t("columns.email"), render: (_, row) => row.email ?? none },
    member_number: { title: t("columns.member_number"), render: (_, row) => row.member_number ?? none },
    stage: { title: t("columns.stage"), render: (_, row) => (row.stage ? <Stage stage={row.stage} /> : none) },
    value: {
      title: t("columns.value"),
      ...right,
      ...sorted("value"),
      render: (_, row) => <Worth row={row} currency={currency} say={say} none={none} />,
    },
    churn: {
      title: t("columns.churn"),
      ...right,
      ...sorted("churn"),
      render: (_, row) => (row.churn_probability == null ? none : say.share(row.churn_probability, 0)),
    },
    orders: {
      title: t("columns.orders"),
      ...right,
      ...sorted("orders"),
      render: (_, row) => say.number(row.orders),
    },
    spent: {
      title: t("columns.spent"),
      ...right,
      render: (_, row) => (row.spent_minor == null ? none : say.money(row.spent_minor, currency, true)),
    },
    first_order: {
      title: t("columns.first_order"),
      render: (_, row) => (row.first_order_at ? say.day(row.first_order_at) : none),
    },
    last_order: {
      title: t("columns.last_order"),
      ...sorted("last_order_at"),
      render: (_, row) => (row.last_order_at ? say.day(row.last_order_at) : none),
    },
    next_order: {
      title: t("columns.next_order"),
      render: (_, row) => (row.next_order_on ? say.day(row.next_order_on) : none),
    },
    rfm: { title: "RFM", render: (_, row) => (row.rfm_group ? names("rfm_groups", row.rfm_group) : none) },
    tags: {
      title: t("columns.tags"),
      render: (_, row) => (
        <span className={styles.tags}>
          {row.tags.slice(0, 3).map((tag) => (
            <Tag key={tag}>{tag}</Tag>
          ))}
          {row.tags.length > 3 && `+${row.tags.length - 3}`}
        </span>
      ),
    },
    created: { title: t("columns.created"), ...sorted("created_at"), render: (_, row) => say.day(row.created_at) },
  };

  return (
    <div className={styles.table}>
      <Grid<Row>
        label={t("customers.title")}
        rowKey="customer_id"
        size="middle"
        showSorterTooltip={false}
        dataSource={rows}
        {...(ticking && {
          rowSelection: {
            fixed: true,
            selectedRowKeys: [...ticking.ticked],
            onChange: (keys) => {
              ticking.tick(keys.map(String));
            },
            getTitleCheckboxProps: () => ({ "aria-label": t("selected.tick_all") }),
            getCheckboxProps: (row) => ({
              "aria-label": t("selected.tick", { name: rowName(row) ?? t("customer.unnamed") }),
            }),
          },
        })}
        columns={[
          { title: t("columns.name"), fixed: "left", render: (_, row) => <Named row={row} /> },
          ...columns.map((column) => ({ key: column, ...all[column] })),
        ]}
        onChange={(_pages, _filters, by) => {
          if (Array.isArray(by)) return;
          want({ sort: by.columnKey as Sort, descending: by.order !== "ascend" });
        }}
      />
    </div>
  );
}

export function Named({ row }: { row: Row }) {
  const { t } = useTranslation("lifecycle");
  const name = rowName(row);
  return (
    <Link to={`/customers/${row.customer_id}`} className={styles.name ?? ""}>
      {name ?? t("customer.unnamed")}
    </Link>
  );
}

interface WorthProps {
  row: Row;
  currency: string | null;
  say: Saying;
  none: string;
}

/** What a customer is worth in all, and the bounds of it where they are known. */
export function Worth({ row, currency, say, none }: WorthProps) {
  if (row.value_minor == null) return none;
  const money = (minor: number) => say.money(minor, currency, true);
  return (
    <>
      {money(row.value_minor)}
      {row.value_low_minor != null && row.value_high_minor != null && (
        <small className={styles.bounds}>
          {money(row.value_low_minor)} – {money(row.value_high_minor)}
        </small>
      )}
    </>
  );
}
