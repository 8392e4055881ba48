/** All customers: searched, filtered, put in order, opened. */
import {
  DownloadOutlined,
  FilterOutlined,
  FunnelPlotOutlined,
  SearchOutlined,
  SettingOutlined,
} from "@ant-design/icons";
import { Button, Input, Popover, Tag } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { useMedia } from "@/base/appearance";
import { dayOfMoment, midnight } from "@/base/midnight";
import { brandZone } from "@/base/page";
import { useLater } from "@/base/useLater";
import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { Answer, Empty } from "@/shell/Answer";
import { LinkButton } from "@/shell/LinkButton";
import { Page } from "@/shell/Page";

import { Cards } from "./Cards";
import { ChosenColumns } from "./ChosenColumns";
import { Conditions } from "./Conditions";
import styles from "./CustomersPage.module.css";
import { Export } from "./Export";
import { Rows } from "./Rows";
import { Filters } from "./Filters";
import { useCustomers } from "./queries";
import { Selected } from "./Selected";
import {
  addressOfSeen,
  columnsRemembered,
  rememberColumns,
  seenAt,
  seenOfView,
  type Column,
  type Seen,
} from "./viewing";
import { useShown, useViews, Views } from "./Views";
import { addressOf, bodyOf, conditions, EVERYBODY, type Wanted } from "./wanted";

const PHONE = "(max-width: 767px)";
const CLOCK = {
  midnight: (day: string, later: number) => midnight(day, later, brandZone),
  day: (moment: string) => dayOfMoment(moment, brandZone),
};

export function CustomersPage() {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const say = useSaying();
  const phone = useMedia(PHONE);
  const [address, setAddress] = useSearchParams();
  const [typed, setTyped] = useState("");
  const [filtering, setFiltering] = useState(false);
  const [remembered, setRemembered] = useState(columnsRemembered);
  const [ticked, setTicked] = useState<readonly string[]>([]);
  const [all, setAll] = useState(false);
  const [exporting, setExporting] = useState(false);
  const may = useMay();
  const views = useViews();
  const search = useLater(typed, 250);
  const shown = useShown(views.data?.items.find((one) => one.view_id === address.get("view")) ?? null);
  const known = useMemo(() => (shown.data ? [shown.data.thing] : (views.data?.items ?? [])), [shown.data, views.data]);
  const seen = useMemo(() => seenAt(address, known, remembered), [address, known, remembered]);
  const { wanted, columns } = seen;
  const body = useMemo(() => bodyOf(wanted, search, CLOCK.midnight), [wanted, search]);
  const customers = useCustomers(body);
  const first = customers.data?.pages[0];
  const count = first?.count;
  const counted = count
    ? t(count.exact ? "customers.count" : "customers.count_about", {
        count: count.customers,
        number: say.number(count.customers),
      })
    : "\u00a0";
  const narrowed = conditions(wanted);

  const untick = () => {
    setTicked([]);
    setAll(false);
  };
  const show = (next: Seen) => {
    untick();
    setAddress(addressOfSeen(next), { replace: true });
  };
  const want = (change: Partial<Wanted>) => {
    show({ ...seen, wanted: { ...wanted, ...change } });
  };
  const choose = (chosen: Column[]) => {
    if (seen.view) show({ ...seen, columns: chosen });
    else {
      rememberColumns(chosen);
      setRemembered(chosen);
    }
  };
  const everybody = { wanted: EVERYBODY, columns: remembered, view: null };

  // Who comes to the list as such begins with the view of their choice; what an address says comes before it.
  const beginning = views.data?.items.find((one) => one.view_id === views.data.default);
  const bare = address.size === 0;
  const begun = useRef(!bare);
  useEffect(() => {
    if (begun.current || !views.data) return;
    begun.current = true;
    if (beginning && bare) setAddress(addressOfSeen(seenOfView(beginning, CLOCK)), { replace: true });
  }, [bare, beginning, setAddress, views.data]);

  return (
    <Page title={t("customers.title")} about={<span aria-live="polite">{counted}</span>}>
      {views.data && (
        <Views
          seen={seen}
          views={views.data.items}
          first={views.data.default}
          clock={CLOCK}
          shown={shown}
          show={(next) => {
            show(next ?? everybody);
          }}
        />
      )}
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
            untick();
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
        {may("customers.export") && (
          <Button
            icon={<DownloadOutlined />}
            onClick={() => {
              setExporting(true);
            }}
          >
            {t("export.do")}
          </Button>
        )}
        {may("segments.write") && (narrowed > 0 || search !== "") && (
          <LinkButton icon={<FunnelPlotOutlined />} to={`/segments/new?${keeping(wanted, search)}`}>
            {t("customers.keep")}
          </LinkButton>
        )}
        {!phone && (
          <Popover
            trigger="click"
            placement="bottomRight"
            title={t("customers.columns")}
            content={<ChosenColumns columns={columns} choose={choose} />}
          >
            <Button icon={<SettingOutlined />} aria-label={t("customers.columns")} />
          </Popover>
        )}
      </div>
      {exporting && (
        <Export
          whom={{ query: body }}
          said={counted}
          columns={columns}
          order={wanted}
          close={() => {
            setExporting(false);
          }}
        />
      )}
      <Conditions wanted={wanted} currency={first?.currency ?? null} want={want} />
      {filtering && <Filters wanted={wanted} currency={first?.currency ?? null} want={want} />}
      {(all || ticked.length > 0) && (
        <Selected
          ticked={ticked}
          all={all}
          count={count ?? null}
          query={body}
          columns={columns}
          writes={may("customers.write")}
          exports={may("customers.export")}
          takeAll={() => {
            setAll(true);
          }}
          clear={untick}
        />
      )}
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
                    show(everybody);
                  }}
                />
              ) : phone ? (
                <Cards rows={rows} currency={currency} />
              ) : (
                <Rows
                  rows={rows}
                  currency={currency}
                  columns={columns}
                  sorting={sorting}
                  want={want}
                  ticking={
                    may("customers.write") || may("customers.export")
                      ? {
                          ticked: all ? rows.map((row) => row.customer_id) : ticked,
                          tick: (chosen) => {
                            setAll(false);
                            setTicked(chosen);
                          },
                        }
                      : undefined
                  }
                />
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

/** The address of a segment's draft; what is searched for is not in it, only that something is. */
function keeping(wanted: Wanted, search: string): string {
  const said = { from: addressOf(wanted).toString(), ...(search === "" ? {} : { searched: "yes" }) };
  return new URLSearchParams(said).toString();
}

function Nobody({ narrowed, clear }: { narrowed: boolean; clear: () => void }) {
  const { t } = useTranslation("lifecycle");
  const may = useMay();
  if (narrowed) {
    return (
      <Empty title={t("customers.nobody")} action={<Button onClick={clear}>{t("customers.clear")}</Button>}>
        {t("customers.nobody_why")}
      </Empty>
    );
  }
  return (
    <Empty
      title={t("customers.none")}
      action={
        may("data.write") && (
          <LinkButton type="primary" to="/data/import">
            {t("customers.import")}
          </LinkButton>
        )
      }
    >
      <p>{t("customers.none_how")}</p>
    </Empty>
  );
}
