/** Who may send events: the sources and their write keys. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Modal, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Answer, Empty, Refused } from "@/shell/Answer";
import { CopyLine } from "@/shell/CopyLine";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { Panel } from "@/shell/Page";
import { Unseen } from "@/shell/Unseen";

type Source = components["schemas"]["EventSource"];

const SOURCES = ["sources"];

export function Sources() {
  const { t } = useTranslation(["collect", "shell"]);
  const say = useSaying();
  const may = useMay();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  const sources = useQuery({ queryKey: SOURCES, queryFn: () => answer(api.GET("/api/sources")) });
  const renew = (source: Source) =>
    attempt(async () => {
      const params = { path: { name: source.name } };
      const { write_key: key } = await answer(
        api.POST("/api/sources/{name}/key", { params, body: { currency: source.currency } }),
      );
      setMade(key);
      await queries.invalidateQueries({ queryKey: SOURCES });
    });
  const disable = (source: Source) => {
    void modal.confirm({
      title: t("sources.disable_title", { name: source.name }),
      content: t("sources.disable_what"),
      okText: t("sources.disable"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await api.DELETE("/api/sources/{name}/key", { params: { path: { name: source.name } } });
          await queries.invalidateQueries({ queryKey: SOURCES });
        }),
    });
  };
  const sends = (source: Source) => source.has_key && !source.disabled_at;
  return (
    <Panel
      title={t("data.sources")}
      about={t("sources.about")}
      actions={
        may("data.write") && (
          <Button
            onClick={() => {
              setMaking(true);
            }}
          >
            {t("sources.make")}
          </Button>
        )
      }
    >
      <Answer of={sources} height={120}>
        {(found) =>
          found.length === 0 ? (
            <Empty title={t("sources.none")}>{t("sources.none_how")}</Empty>
          ) : (
            <Grid<Source>
              label={t("data.sources")}
              rowKey="source_id"
              size="middle"
              dataSource={found}
              columns={[
                { title: t("data.source"), dataIndex: "name" },
                { title: t("sources.currency"), render: (_, source) => source.currency ?? t("shell:unknown") },
                {
                  title: t("sources.state"),
                  render: (_, source) =>
                    sends(source) ? <Tag color="success">{t("sources.sends")}</Tag> : <Tag>{t("sources.silent")}</Tag>,
                },
                { title: t("sources.since"), render: (_, source) => say.day(source.created_at) },
                {
                  title: <Unseen>{t("shell:actions")}</Unseen>,
                  render: (_, source) =>
                    may("data.write") &&
                    (sends(source) ? (
                      <Button
                        size="small"
                        danger
                        onClick={() => {
                          disable(source);
                        }}
                      >
                        {t("sources.disable")}
                      </Button>
                    ) : (
                      <Button size="small" onClick={() => void renew(source)}>
                        {t("sources.new_key")}
                      </Button>
                    )),
                },
              ]}
            />
          )
        }
      </Answer>
      {making && (
        <MakeSource
          close={() => {
            setMaking(false);
          }}
          done={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
      {made && (
        <Modal
          open
          title={t("sources.made")}
          mask={{ closable: false }}
          footer={
            <Button
              onClick={() => {
                setMade(null);
              }}
            >
              {t("shell:close")}
            </Button>
          }
          onCancel={() => {
            setMade(null);
          }}
        >
          <p>{t("sources.once")}</p>
          <CopyLine text={made} />
        </Modal>
      )}
    </Panel>
  );
}

interface MakeProps {
  close: () => void;
  done: (key: string) => void;
}

function MakeSource({ close, done }: MakeProps) {
  const { t } = useTranslation(["collect", "shell"]);
  const queries = useQueryClient();
  const [form] = Form.useForm<{ name: string; currency?: string }>();
  const make = useMutation({
    mutationFn: ({ name, currency }: { name: string; currency?: string }) =>
      answer(
        api.POST("/api/sources/{name}/key", {
          params: { path: { name } },
          body: { currency: currency ? currency.toUpperCase() : null },
        }),
      ),
    onSuccess: async ({ write_key: key }) => {
      await queries.invalidateQueries({ queryKey: SOURCES });
      done(key);
    },
  });
  return (
    <Modal
      open
      title={t("sources.make")}
      okText={t("sources.make")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: make.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={(given: { name: string; currency?: string }) => {
          make.mutate(given);
        }}
      >
        <Form.Item name="name" label={t("data.source")} rules={[{ required: true, message: t("shell:required") }]}>
          <Input autoFocus maxLength={100} placeholder="my-shop" />
        </Form.Item>
        <Form.Item
          name="currency"
          label={t("sources.currency")}
          extra={t("sources.currency_what")}
          rules={[{ pattern: /^[A-Za-z]{3}$/, message: t("sources.currency_what") }]}
        >
          <Input maxLength={3} placeholder="CNY" />
        </Form.Item>
      </Form>
      {make.error && <Refused error={make.error} />}
    </Modal>
  );
}
