/** All customers: searched, filtered, put in order, opened. */
import { FilterOutlined, SearchOutlined, SettingOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Popover, Tag } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useMedia } from "@/base/appearance";
import { midnight } from "@/base/midnight";
import { brandZone } from "@/base/page";
import { useLater } from "@/base/useLater";
import { useSaying } from "@/base/useSaying";
import { Answer, Empty } from "@/shell/Answer";
import { Page } from "@/shell/Page";

import { Cards } from "./Cards";
import { Conditions } from "./Conditions";
import styles from "./CustomersPage.module.css";
import { COLUMNS, columnsRemembered, rememberColumns, Rows, type Column } from "./Rows";
import { Filters } from "./Filters";
import { useCustomers } from "./queries";
import { addressOf, bodyOf, conditions, EVERYBODY, wantedOf, type Wanted } from "./wanted";

const PHONE = "(max-width: 767px)";

export function CustomersPage() {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const say = useSaying();
  const phone = useMedia(PHONE);
  const [address, setAddress] = useSearchParams();
  const [typed, setTyped] = useState("");
  const [filtering, setFiltering] = useState(false);
  const [columns, setColumns] = useState(columnsRemembered);
  const search = useLater(typed, 250);
  const wanted = useMemo(() => wantedOf(address), [address]);
  const body = useMemo(() => bodyOf(wanted, search, (day, later) => midnight(day, later, brandZone)), [wanted, search]);
  const customers = useCustomers(body);
  const first = customers.data?.pages[0];
  const count = first?.count;
  const narrowed = conditions(wanted);

  const want = (change: Partial<Wanted>) => {
    setAddress(addressOf({ ...wanted, ...change }), { replace: true });
  };
  const choose = (chosen: Column[]) => {
    rememberColumns(chosen);
    setColumns(chosen);
  };

  return (
    <Page
      title={t("customers.title")}
      about={
        <span aria-live="polite">
          {count
            ? t(count.exact ? "customers.count" : "customers.count_about", {
                count: count.customers,
                number: say.number(count.customers),
              })
            : "\u00a0"}
        </span>
      }
    >
      <div className={styles.bar}>
        <Input
          allowClear
          className={styles.search ?? ""}
          prefix={<SearchOutlined />}
          placeholder={t("shell:search.placeholder")}
          aria-label={t("shell:search.open")}
          maxLength={100}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
        <Button
          icon={<FilterOutlined />}
          aria-expanded={filtering}
          onClick={() => {
            setFiltering(!filtering);
          }}
        >
          {t("customers.filters")}
          {narrowed > 0 && <Tag className={styles.number ?? ""}>{narrowed}</Tag>}
        </Button>
        {!phone && (
          <Popover
            trigger="click"
            placement="bottomRight"
            title={t("customers.columns")}
            content={
              <Checkbox.Group
                className={styles.columns ?? ""}
                value={columns}
                options={COLUMNS.map((column) => ({ value: column, label: t(`columns.${column}`) }))}
                onChange={choose}
              />
            }
          >
            <Button icon={<SettingOutlined />} aria-label={t("customers.columns")} />
          </Popover>
        )}
      </div>
      <Conditions wanted={wanted} currency={first?.currency ?? null} want={want} />
      {filtering && <Filters wanted={wanted} currency={first?.currency ?? null} want={want} />}
      <Answer of={customers} height={640}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.customers);
          const currency = pages[0]?.currency ?? null;
          const sorting = { sort: wanted.sort, descending: wanted.descending };
          return (
            <div className={customers.isPlaceholderData ? styles.stale : undefined}>
              {rows.length === 0 ? (
                <Nobody
                  narrowed={narrowed > 0 || search !== ""}
                  clear={() => {
                    setTyped("");
                    setAddress(addressOf(EVERYBODY), { replace: true });
                  }}
                />
              ) : phone ? (
                <Cards rows={rows} currency={currency} />
              ) : (
                <Rows rows={rows} currency={currency} columns={columns} sorting={sorting} want={want} />
              )}
              {customers.hasNextPage && (
                <div className={styles.more}>
                  <Button loading={customers.isFetchingNextPage} onClick={() => void customers.fetchNextPage()}>
                    {t("shell:more")}
                  </Button>
                </div>
              )}
            </div>
          );
        }}
      </Answer>
    </Page>
  );
}

function Nobody({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  const { t } = useTranslation("lifecycle");
  if (narrowed) {
    return (
      <Empty title={t("customers.nobody")} action={<Button onClick={clear}>{t("customers.clear")}</Button>}>
        {t("customers.nobody_why")}
      </Empty>
    );
  }
  return (
    <Empty title={t("customers.none")}>
      <p>{t("customers.none_how")}</p>
      <pre className={styles.command}>shuke import orders orders.csv</pre>
    </Empty>
  );
}
