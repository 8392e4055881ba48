/** What was sent to a webhook, and what became of it. */
import { Button, Drawer, Segmented, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Empty } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Rows } from "@/shell/Rows";
import { useTelling } from "@/shell/undo";
import { Unseen } from "@/shell/Unseen";

import styles from "./Connectors.module.css";
import { kindKey } from "./EditWebhook";
import { useAgain, useMessage, useMessages, type Attempt, type Message, type Webhook } from "./queries";

const STATES = ["all", "waiting", "delivered", "failed"] as const;
const COLOURS = { waiting: "processing", delivered: "success", failed: "error" } as const;

export function Messages({ webhook, close }: { webhook: Webhook; close: () => void }) {
  const { t } = useTranslation(["connectors", "shell"]);
  const say = useSaying();
  const may = useMay();
  const { attempt } = useDoing();
  const tell = useTelling();
  const again = useAgain();
  const [state, setState] = useState<(typeof STATES)[number]>("all");
  const [shown, setShown] = useState<number | null>(null);
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
      <div className={styles.sent}>
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
        <Rows<Message>
          label={t("messages", { name: webhook.name })}
          of={messages}
          rowKey="delivery_id"
          height={320}
          empty={<Empty title={t("no_messages")}>{t("no_messages_how")}</Empty>}
          columns={[
            { title: t("made_at"), render: (_, one) => say.moment(one.created_at) },
            { title: t("event"), render: (_, one) => t(`kinds.${kindKey(one.kind)}`) },
            {
              title: t("customers"),
              align: "right",
              className: "numbers",
              render: (_, one) => say.number(one.customers),
            },
            {
              title: t("state"),
              render: (_, one) => (
                <>
                  <Tag color={COLOURS[one.state]}>{t(`message_states.${one.state}`)}</Tag>
                  {one.due_at !== null && one.attempts > 0 && (
                    <small>{t("next", { moment: say.moment(one.due_at) })}</small>
                  )}
                </>
              ),
            },
            {
              title: t("attempts"),
              align: "right",
              className: "numbers",
              render: (_, one) => say.number(one.attempts),
            },
            {
              title: <Unseen>{t("shell:actions")}</Unseen>,
              render: (_, one) => (
                <Button
                  size="small"
                  aria-expanded={shown === one.delivery_id}
                  onClick={() => {
                    setShown(shown === one.delivery_id ? null : one.delivery_id);
                  }}
                >
                  {t("details")}
                </Button>
              ),
            },
          ]}
          detail={{ shown, of: (one) => <Sent webhook={webhook} message={one} writes={writes} /> }}
        />
      </div>
    </Drawer>
  );
}

function Sent({ webhook, message, writes }: { webhook: Webhook; message: Message; writes: boolean }) {
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
    <Answer of={sent} height={200}>
      {({ body, tried }) => (
        <div className={styles.sent}>
          <code>{message.message_id}</code>
          <pre className={styles.body}>{pretty(body)}</pre>
          <ol>
            {tried.map((one) => (
              <Tried key={one.attempt} attempt={one} />
            ))}
          </ol>
          {writes && message.state !== "waiting" && (
            <span>
              <Button size="small" onClick={() => void sendAgain()}>
                {t("again")}
              </Button>
            </span>
          )}
        </div>
      )}
    </Answer>
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
