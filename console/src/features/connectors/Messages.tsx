/** What was sent to a webhook, and what became of it. */
import { Button, Drawer, Segmented, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Empty } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { useTelling } from "@/shell/undo";

import styles from "./Connectors.module.css";
import { kindKey } from "./EditWebhook";
import { useAgain, useMessage, useMessages, type Attempt, type Message, type Webhook } from "./queries";

const STATES = ["all", "waiting", "delivered", "failed"] as const;
const COLOURS = { waiting: "default", delivered: "success", failed: "error" } as const;

export function Messages({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const { t } = useTranslation(["connectors", "shell"]);
  const say = useSaying();
  const may = useMay();
  const { attempt } = useDoing();
  const tell = useTelling();
  const again = useAgain();
  const [state, setState] = useState<(typeof STATES)[number]>("all");
  const { endpoint_id } = webhook;
  const messages = useMessages(endpoint_id, state === "all" ? null : state);
  const writes = may("connectors.write");
  const test = () =>
    attempt(async () => {
      await api.POST("/api/webhooks/{endpoint_id}/test", { params: { path: { endpoint_id } } });
      tell(t("tested"));
      await again();
    });
  const failedAgain = () =>
    attempt(async () => {
      const params = { path: { endpoint_id } };
      const body = { since: webhook.created_at };
      const { messages: count } = await answer(api.POST("/api/webhooks/{endpoint_id}/again", { params, body }));
      tell(t("queued", { count, number: say.number(count) }));
      await again();
    });
  return (
    <Drawer open size={720} title={t("messages", { name: webhook.name })} onClose={close}>
      <>
        <div className={styles.buttons}>
          <Segmented
            aria-label={t("state")}
            options={STATES.map((one) => ({ value: one, label: t(`message_states.${one}`) }))}
            value={state}
            onChange={setState}
          />
          {writes && (
            <>
              <Button disabled={webhook.state !== "on"} onClick={() => void test()}>
                {t("test")}
              </Button>
              <Button onClick={() => void failedAgain()}>{t("failed_again")}</Button>
            </>
          )}
        </div>
        <p className={styles.note}>{t("kept")}</p>
        <Answer of={messages} height={320}>
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0) return <Empty title={t("no_messages")}>{t("no_messages_how")}</Empty>;
            return (
              <>
                <ul className={styles.list} aria-label={t("sent")}>
                  {items.map((one) => (
                    <Sent key={one.delivery_id} webhook={webhook} message={one} writes={writes} />
                  ))}
                </ul>
                {messages.hasNextPage && (
                  <p>
                    <Button loading={messages.isFetchingNextPage} onClick={() => void messages.fetchNextPage()}>
                      {t("shell:more")}
                    </Button>
                  </p>
                )}
              </>
            );
          }}
        </Answer>
      </>
    </Drawer>
  );
}

interface SentProps {
  webhook: Webhook;
  message: Message;
  writes: boolean;
}

function Sent(props: SentProps) {
  const { t } = useTranslation("connectors");
  const say = useSaying();
  const [open, setOpen] = useState(false);
  const { created_at, kind, customers, state, due_at, attempts } = props.message;
  return (
    <li>
      <div>
        <strong>{t(`kinds.${kindKey(kind)}`)}</strong> <Tag color={COLOURS[state]}>{t(`message_states.${state}`)}</Tag>
        <p className={styles.note}>
          {say.moment(created_at)}
          {customers > 0 && ` · ${t("customers", { count: customers, number: say.number(customers) })}`}
          {attempts > 0 && ` · ${t("attempts", { count: attempts, number: say.number(attempts) })}`}
          {due_at !== null && attempts > 0 && ` · ${t("next", { moment: say.moment(due_at) })}`}
        </p>
      </div>
      <Button
        size="small"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        {t("details")}
      </Button>
      {open && <Details {...props} />}
    </li>
  );
}

function Details({ webhook, message, writes }: SentProps) {
  const { t } = useTranslation("connectors");
  const { attempt } = useDoing();
  const again = useAgain();
  const sent = useMessage(webhook.endpoint_id, message);
  const sendAgain = () =>
    attempt(async () => {
      const path = { endpoint_id: webhook.endpoint_id, delivery_id: message.delivery_id };
      await api.POST("/api/webhooks/{endpoint_id}/deliveries/{delivery_id}/again", { params: { path } });
      await again();
    });
  return (
    <div className={styles.details}>
      <Answer of={sent} height={200}>
        {({ body, tried }) => (
          <>
            <code>{message.message_id}</code>
            <pre className={styles.body}>{pretty(body)}</pre>
            <ol>
              {tried.map((one) => (
                <Tried key={one.attempt} attempt={one} />
              ))}
            </ol>
            {writes && message.state !== "waiting" && (
              <Button size="small" onClick={() => void sendAgain()}>
                {t("again")}
              </Button>
            )}
          </>
        )}
      </Answer>
    </div>
  );
}

function Tried({ attempt }: { attempt: Attempt }) {
  const { t } = useTranslation("connectors");
  const say = useSaying();
  return (
    <li>
      {say.moment(attempt.at)} · {t("took", { ms: say.number(attempt.ms) })} ·{" "}
      <strong>{attempt.trouble ? t(`troubles.${attempt.trouble}`) : t("taken")}</strong>
      {attempt.status !== null && ` · ${attempt.status}`}
      {attempt.answer && <pre className={styles.body}>{attempt.answer}</pre>}
    </li>
  );
}

function pretty(body: string): string {
  return JSON.stringify(JSON.parse(body), null, 2);
}
