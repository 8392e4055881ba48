/** Personal values as they are, for somebody who says why; that they looked is noted. */
import { EyeInvisibleOutlined, EyeOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { Button, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Refused } from "@/shell/Answer";

import styles from "./Customer.module.css";

/** Codes that the audit log keeps. */
const REASONS = ["call_back", "order_question", "complaint", "correction", "subject_request", "other"] as const;

export type Revealed = components["schemas"]["Revealed"];

interface Props {
  customer: string;
  revealed: Revealed | null;
  show: (revealed: Revealed | null) => void;
}

export function Reveal({ customer, revealed, show }: Props) {
  const { t } = useTranslation(["profiles", "shell"]);
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  const reveal = useMutation({
    mutationFn: (reason: string) =>
      answer(
        api.POST("/api/customers/{customer_id}/reveal", {
          params: { path: { customer_id: customer } },
          body: { fields: ["name", "phone", "email", "other"], why: reason },
        }),
      ),
    onSuccess: (found) => {
      show(found);
      setAsking(false);
    },
  });
  if (revealed) {
    return (
      <Button
        icon={<EyeInvisibleOutlined />}
        onClick={() => {
          show(null);
        }}
      >
        {t("reveal.hide")}
      </Button>
    );
  }
  return (
    <>
      <Button
        icon={<EyeOutlined />}
        onClick={() => {
          setAsking(true);
        }}
      >
        {t("reveal.do")}
      </Button>
      {asking && (
        <Modal
          open
          title={t("reveal.title")}
          okText={t("reveal.do")}
          cancelText={t("shell:cancel")}
          okButtonProps={{ disabled: why === null, loading: reveal.isPending }}
          onOk={() => {
            if (why) reveal.mutate(why);
          }}
          onCancel={() => {
            setAsking(false);
          }}
        >
          <p>{t("reveal.what")}</p>
          <Select
            autoFocus
            className={styles.wide ?? ""}
            aria-label={t("reveal.why")}
            placeholder={t("reveal.why")}
            value={why}
            options={REASONS.map((reason) => ({ value: reason, label: t(`reveal.reasons.${reason}`) }))}
            onChange={setWhy}
          />
          {reveal.error && <Refused error={reveal.error} />}
        </Modal>
      )}
    </>
  );
}
