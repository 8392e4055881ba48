/** Webhooks: which other systems are told who enters and leaves segments. */
import { App, Button, Modal, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { Answer, Empty } from "@/shell/Answer";
import { CopyLine } from "@/shell/CopyLine";
import { useDoing } from "@/shell/doing";
import { Page, Panel } from "@/shell/Page";

import styles from "./Connectors.module.css";
import { EditWebhook, kindKey } from "./EditWebhook";
import { Messages } from "./Messages";
import { reading, useAgain, useWebhooks, type Webhook } from "./queries";

const COLOURS = { on: "success", off: "default", disabled: "error" } as const;

export function WebhooksPage() {
  const { t } = useTranslation("connectors");
  const may = useMay();
  const webhooks = useWebhooks();
  const [edited, setEdited] = useState<{ id: string | null } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const [watched, setWatched] = useState<string | null>(null);
  const make = may("connectors.write") && (
    <Button
      type="primary"
      onClick={() => {
        setEdited({ id: null });
      }}
    >
      {t("make")}
    </Button>
  );
  return (
    <Page title={t("title")} about={t("about")} actions={make}>
      <Answer of={webhooks} height={240}>
        {({ items }) => {
          const shown = items.find((one) => one.endpoint_id === watched);
          return (
            <>
              <Panel>
                {items.length === 0 ? (
                  <Empty title={t("none")}>{t("none_how")}</Empty>
                ) : (
                  <Webhooks
                    webhooks={items}
                    watch={setWatched}
                    edit={(id) => {
                      setEdited({ id });
                    }}
                    tell={setSecret}
                  />
                )}
              </Panel>
              {shown && (
                <Messages
                  webhook={shown}
                  close={() => {
                    setWatched(null);
                  }}
                />
              )}
            </>
          );
        }}
      </Answer>
      {edited && (
        <EditWebhook
          id={edited.id}
          made={setSecret}
          close={() => {
            setEdited(null);
          }}
        />
      )}
      {secret !== null && (
        <Secret
          secret={secret}
          close={() => {
            setSecret(null);
          }}
        />
      )}
    </Page>
  );
}

interface ListProps {
  webhooks: Webhook[];
  watch: (id: string) => void;
  edit: (id: string) => void;
  tell: (secret: string) => void;
}

function Webhooks({ webhooks, ...acts }: ListProps) {
  const { t } = useTranslation("connectors");
  return (
    <ul className={styles.list} aria-label={t("title")}>
      {webhooks.map((one) => (
        <li key={one.endpoint_id}>
          <div>
            <strong>{one.name}</strong> <Tag color={COLOURS[one.state]}>{t(`states.${one.state}`)}</Tag>
            <Failing webhook={one} />
            <p className={styles.url}>{one.url}</p>
            <p className={styles.note}>
              {one.kinds.map((kind) => t(`kinds.${kindKey(kind)}`)).join(" · ")}
              {": "}
              {one.segments.length === 0 ? t("all_segments") : one.segments.map(({ name }) => name).join(" · ")}
            </p>
          </div>
          <Actions webhook={one} {...acts} />
        </li>
      ))}
    </ul>
  );
}

function Failing({ webhook }: { webhook: Webhook }) {
  const { t } = useTranslation("connectors");
  const say = useSaying();
  const { state, why_disabled, failing_since } = webhook;
  if (why_disabled) return <small className={styles.failing}>{t(`disabled.${why_disabled}`)}</small>;
  if (state !== "on" || !failing_since) return null;
  return <small className={styles.failing}>{t("failing", { ago: say.ago(failing_since) })}</small>;
}

function Actions({ webhook, watch, edit, tell }: Omit<ListProps, "webhooks"> & { webhook: Webhook }) {
  const { t } = useTranslation(["connectors", "shell"]);
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const may = useMay();
  const again = useAgain();
  const { endpoint_id, name } = webhook;
  const rotate = () =>
    void modal.confirm({
      title: t("rotate_title", { name }),
      content: t("rotate_what"),
      okText: t("rotate"),
      cancelText: t("shell:cancel"),
      onOk: () =>
        attempt(async () => {
          const params = { path: { endpoint_id } };
          tell((await answer(api.POST("/api/webhooks/{endpoint_id}/secret", { params }))).secret);
          await again();
        }),
    });
  const remove = () =>
    attempt(async () => {
      const { tag } = await reading(endpoint_id).read();
      await modal.confirm({
        title: t("remove_title", { name }),
        content: t("remove_what"),
        okText: t("shell:remove"),
        okButtonProps: { danger: true },
        cancelText: t("shell:cancel"),
        onOk: () =>
          attempt(async () => {
            const params = { path: { endpoint_id }, header: meaning(tag) };
            await api.DELETE("/api/webhooks/{endpoint_id}", { params });
            await again();
          }),
      });
    });
  return (
    <span className={styles.buttons}>
      <Button
        size="small"
        aria-label={t("messages", { name })}
        onClick={() => {
          watch(endpoint_id);
        }}
      >
        {t("sent")}
      </Button>
      {may("connectors.write") && (
        <>
          <Button
            size="small"
            aria-label={`${t("shell:edit")} ${name}`}
            onClick={() => {
              edit(endpoint_id);
            }}
          >
            {t("shell:edit")}
          </Button>
          <Button size="small" aria-label={t("rotate_one", { name })} onClick={rotate}>
            {t("rotate")}
          </Button>
          <Button size="small" danger aria-label={t("remove_one", { name })} onClick={() => void remove()}>
            {t("shell:remove")}
          </Button>
        </>
      )}
    </span>
  );
}

/** A secret, shown this once. */
function Secret({ secret, close }: { secret: string; close: () => void }) {
  const { t } = useTranslation(["connectors", "shell"]);
  return (
    <Modal
      open
      title={t("secret")}
      footer={<Button onClick={close}>{t("shell:close")}</Button>}
      onCancel={close}
      mask={{ closable: false }}
    >
      <p>{t("secret_once")}</p>
      <CopyLine text={secret} />
    </Modal>
  );
}
