/** As what somebody comes in, and where. */
import { Form, Select, type FormInstance } from "antd";
import { useTranslation } from "react-i18next";

import { useNames } from "@/base/useSaying";

import { useRoles } from "./queries";

export interface Placed {
  role: string;
  places?: string[];
}

export function RoleFields<Given extends Placed>({ form, begun }: { form: FormInstance<Given>; begun: string }) {
  const { t } = useTranslation(["access", "shell"]);
  const names = useNames();
  const roles = useRoles();
  const wanted = Form.useWatch<string | undefined>("role", form as FormInstance) ?? begun;
  const scope = roles.find((role) => role.name === wanted)?.where ?? "all";
  const required = { required: true, message: t("shell:required") };
  return (
    <>
      <Form.Item name="role" label={t("role")} rules={[required]}>
        <Select options={roles.map((role) => ({ value: role.name, label: names("roles", role.name) }))} />
      </Form.Item>
      {(scope === "store" || scope === "region") && (
        <Form.Item name="places" label={t(`team.places_${scope}`)} rules={[required]}>
          <Select mode="tags" />
        </Form.Item>
      )}
    </>
  );
}
