/** The fields of what a report is asked for with. */
import { Checkbox, Form, Input, InputNumber, Radio, Select } from "antd";
import { useTranslation } from "react-i18next";

import type { Wanted } from "./terms";

const HORIZONS = [90, 180, 365, 730];

export function TermsFields() {
  const { t } = useTranslation(["reports", "shell"]);
  const form = Form.useFormInstance<Wanted>();
  const basis = Form.useWatch("basis", form);
  return (
    <>
      <Form.Item
        name="languages"
        label={t("terms.languages")}
        rules={[{ required: true, type: "array", min: 1, message: t("shell:required") }]}
      >
        <Checkbox.Group
          options={[
            { value: "zh-CN", label: "中文" },
            { value: "en", label: "English" },
          ]}
        />
      </Form.Item>
      <Form.Item name="horizon" label={t("terms.horizon")} extra={t("terms.horizon_what")}>
        <Select options={HORIZONS.map((value) => ({ value, label: t("terms.days", { count: value }) }))} />
      </Form.Item>
      <Form.Item name="basis" label={t("terms.basis")} extra={t("terms.basis_what")}>
        <Radio.Group
          options={(["sales", "share", "costs"] as const).map((value) => ({ value, label: t(`terms.bases.${value}`) }))}
        />
      </Form.Item>
      {basis === "share" && (
        <Form.Item name="margin" label={t("terms.margin")} rules={[{ required: true, message: t("shell:required") }]}>
          <InputNumber min={0.1} max={100} step={1} suffix="%" />
        </Form.Item>
      )}
      <Form.Item name="brand" label={t("terms.brand")} extra={t("terms.brand_what")}>
        <Input maxLength={100} />
      </Form.Item>
    </>
  );
}
