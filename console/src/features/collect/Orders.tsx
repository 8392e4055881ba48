/** What a customer bought, order by order. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Tag } from "antd";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Answer, Empty } from "@/shell/Answer";
import { Grid } from "@/shell/Grid";
import { Panel } from "@/shell/Page";

import styles from "./Timeline.module.css";

type Order = components["schemas"]["BoughtOrder"];

const PAGE = 10;

export function Orders({ customer }: { customer: string }) {
  const { t } = useTranslation(["collect", "shell"]);
  const names = useNames();
  const say = useSaying();
  const orders = useInfiniteQuery({
    queryKey: ["customers", customer, "orders"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/customers/{customer_id}/orders", {
          params: { path: { customer_id: customer }, query: { before: pageParam, limit: PAGE } },
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
  const right = { align: "right" as const, className: "numbers" };
  return (
    <Panel title={t("orders.title")}>
      <Answer of={orders} height={200}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.orders);
          if (rows.length === 0) return <Empty title={t("orders.none")} />;
          return (
            <>
              <Grid<Order>
                label={t("orders.title")}
                rowKey={(order) => `${order.source} ${order.order_id}`}
                size="small"
                dataSource={rows}
                expandable={{
                  expandedRowRender: (order) => <Lines order={order} />,
                  rowExpandable: (order) => order.lines.length > 0,
                }}
                columns={[
                  { title: t("orders.day"), render: (_, order) => say.day(order.ordered_at) },
                  {
                    title: t("timeline.order"),
                    render: (_, order) => (
                      <>
                        {order.order_id} {order.status !== "completed" && <Tag>{t(`orders.${order.status}`)}</Tag>}
                      </>
                    ),
                  },
                  {
                    title: t("orders.where"),
                    render: (_, order) =>
                      [order.channel && names("channels", order.channel), order.store].filter(Boolean).join(" · "),
                  },
                  {
                    title: t("orders.amount"),
                    ...right,
                    render: (_, order) => (
                      <>
                        {say.money(order.amount_minor, order.currency)}
                        {order.refunded_minor > 0 && (
                          <small className={styles.refunded}>−{say.money(order.refunded_minor, order.currency)}</small>
                        )}
                      </>
                    ),
                  },
                ]}
              />
              {orders.hasNextPage && (
                <p className={styles.more}>
                  <Button loading={orders.isFetchingNextPage} onClick={() => void orders.fetchNextPage()}>
                    {t("shell:more")}
                  </Button>
                </p>
              )}
            </>
          );
        }}
      </Answer>
    </Panel>
  );
}

function Lines({ order }: { order: Order }) {
  const say = useSaying();
  return (
    <ul className={styles.lines}>
      {order.lines.map((line, at) => (
        <li key={at}>
          <span>
            {line.product_name ?? line.product_id} × {say.number(Number(line.quantity), 3)}
          </span>
          <span className="numbers">{say.money(line.amount_minor, order.currency)}</span>
        </li>
      ))}
    </ul>
  );
}
