/** Have a report made: for what period, in which languages, on what basis. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Form, Input, Modal } from "antd";
import { useTranslation } from "react-i18next";

import { useBrand } from "@/features/catalog/queries";
import { usePreferences } from "@/shell/preferences";
import { answer, api } from "@/platform/client";
import { Refused } from "@/shell/Answer";

import { REPORTS } from "./queries";
import { TermsFields } from "./Terms";
import { termsOf, wantedOf, type Wanted } from "./terms";

type Asked = Wanted & { asOf?: string };

export function MakeReport({ close }: { close: () => void }) {
  const brand = useBrand();
  // What it offers first, it has to know from the beginning.
  return brand.isLoading ? null : <Asking close={close} brand={brand.data} />;
}

interface AskingProps {
  close: () => void;
  brand: ReturnType<typeof useBrand>["data"];
}

function Asking({ close, brand }: AskingProps) {
  const { t } = useTranslation(["reports", "shell"]);
  const { language } = usePreferences();
  const first = wantedOf(null, language, brand);
  const queries = useQueryClient();
  const [form] = Form.useForm<Asked>();
  const make = useMutation({
    mutationFn: ({ asOf, ...wanted }: Asked) =>
      answer(api.POST("/api/reports", { body: { ...termsOf(wanted), as_of: dayAfter(asOf) } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: REPORTS });
      close();
    },
  });
  return (
    <Modal
      open
      title={t("make.title")}
      okText={t("make.do")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: make.isPending }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Form<Asked>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={first}
        onFinish={(given) => {
          make.mutate({ ...first, ...given });
        }}
      >
        <Form.Item name="asOf" label={t("make.until")} extra={t("make.until_what")}>
          <Input type="date" max={new Date().toISOString().slice(0, 10)} />
        </Form.Item>
        <TermsFields />
      </Form>
      {make.error && <Refused error={make.error} />}
    </Modal>
  );
}

/** The server takes the first day that no longer counts; a reader names the last that does. */
function dayAfter(day: string | undefined): string | null {
  if (!day) return null;
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return next.toISOString().slice(0, 10);
}
