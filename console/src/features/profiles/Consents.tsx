/** What a customer has agreed to, by purpose and channel. */
import { CheckCircleFilled, PlusOutlined, StopOutlined } from "@ant-design/icons";
import { Button, DatePicker, Form, Input, Modal, Radio, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useNames, useSaying } from "@/base/useSaying";
import { useMe } from "@/features/access/session";
import { Empty, Refused } from "@/shell/Answer";
import { Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import styles from "./Customer.module.css";
import { useRecordConsent, type Consent } from "./queries";

interface Props {
  customer: string;
  consents: readonly Consent[];
  /** Whether what they say may be recorded here. */
  writes: boolean;
}

export function Consents({ customer, consents, writes }: Props) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const say = useSaying();
  const [recording, setRecording] = useState(false);
  return (
    <Panel
      title={t("consents.title")}
      actions={
        writes && (
          <Button
            size="small"
            icon={<PlusOutlined />}
            onClick={() => {
              setRecording(true);
            }}
          >
            {t("consents.record")}
          </Button>
        )
      }
    >
      {consents.length === 0 && <Empty title={t("consents.none")}>{t("consents.none_how")}</Empty>}
      <ul className={styles.list}>
        {consents.map((one) => (
          <li key={`${one.purpose} ${one.channel}`}>
            <span className={styles.kind}>
              {names("purposes", one.purpose)} · {names("channels", one.channel)}
            </span>
            <span className={styles.value}>
              <span className={one.state === "granted" ? styles.granted : styles.withdrawn} aria-hidden="true">
                {one.state === "granted" ? <CheckCircleFilled /> : <StopOutlined />}
              </span>{" "}
              {names("consent_states", one.state)}
            </span>
            <small>
              {say.day(one.at)} · {t("consents.notice", { version: one.notice_version })}
            </small>
          </li>
        ))}
      </ul>
      {recording && (
        <RecordConsent
          customer={customer}
          notice={consents[0]?.notice_version ?? ""}
          close={() => {
            setRecording(false);
          }}
        />
      )}
    </Panel>
  );
}

const PURPOSES = ["marketing", "personalisation", "profiling", "service", "analytics"];
const CHANNELS = ["any", "sms", "email", "phone", "wecom", "wechat", "app"];
const METHODS = ["form", "written", "spoken", "double_opt_in"] as const;

interface Said {
  purpose: string;
  channel: string;
  state: Consent["state"];
  notice_version: string;
  method: (typeof METHODS)[number];
  reference?: string;
  at: Dayjs;
}

/** What a customer said, in the store or on the phone. It is never changed, only followed by what they say next. */
function RecordConsent({ customer, notice, close }: { customer: string; notice: string; close: () => void }) {
  const { t } = useTranslation(["profiles", "shell"]);
  const names = useNames();
  const tell = useTelling();
  const me = useMe();
  const record = useRecordConsent(customer);
  const [form] = Form.useForm<Said>();
  const required = { required: true, message: t("shell:required") };
  const code = { pattern: /^[A-Za-z][A-Za-z0-9_.:/-]{0,99}$/, message: t("consents.code_rule") };
  const named = (group: string, codes: readonly string[]) =>
    codes.map((one) => ({ value: one, label: names(group, one) }));
  return (
    <Modal
      open
      title={t("consents.record")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: record.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <p>{t("consents.record_what")}</p>
      <Form<Said>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{
          purpose: "marketing",
          channel: "any",
          state: "granted",
          method: "form",
          notice_version: notice,
          at: dayjs(),
        }}
        onFinish={({ reference, at, ...said }) => {
          record.mutate(
            {
              ...said,
              reference: reference && reference.trim() !== "" ? reference.trim() : null,
              at: at.toISOString(),
              by: `user-${me.user_id}`,
              guardian: null,
            },
            {
              onSuccess: () => {
                close();
                tell(t("consents.recorded"));
              },
            },
          );
        }}
      >
        <Form.Item name="purpose" label={t("consents.purpose")}>
          <Select options={named("purposes", PURPOSES)} />
        </Form.Item>
        <Form.Item name="channel" label={t("consents.channel")}>
          <Select options={named("channels", CHANNELS)} />
        </Form.Item>
        <Form.Item name="state" label={t("consents.state")}>
          <Radio.Group options={named("consent_states", ["granted", "withdrawn"])} />
        </Form.Item>
        <Form.Item
          name="notice_version"
          label={t("consents.notice_version")}
          extra={t("consents.notice_what")}
          rules={[required, code]}
        >
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="method" label={t("consents.method")}>
          <Select options={named("consent_methods", METHODS)} />
        </Form.Item>
        <Form.Item name="reference" label={t("consents.reference")} extra={t("consents.reference_what")} rules={[code]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="at" label={t("consents.at")} rules={[required]}>
          <DatePicker showTime={{ format: "HH:mm" }} disabledDate={(day) => day.isAfter(dayjs())} />
        </Form.Item>
      </Form>
      {record.error && <Refused error={record.error} />}
    </Modal>
  );
}
