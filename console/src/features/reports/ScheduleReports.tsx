/** How often a report is made by itself. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Form, Modal, Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";

import { brandZone } from "@/base/page";
import { answer, api } from "@/platform/client";
import { Answer, Refused } from "@/shell/Answer";
import { usePreferences } from "@/shell/preferences";

import { REPORTS, useSchedule, type ReportSchedule } from "./queries";
import { TermsFields } from "./Terms";
import { termsOf, wantedOf, type Wanted } from "./terms";

const EVERY = ["off", "weekly", "monthly"] as const;
type Asked = Wanted & { every: ReportSchedule["every"]; day: number; hour: number };

export function ScheduleReports({ close }: { close: () => void }) {
  const { t } = useTranslation(["reports", "shell"]);
  const schedule = useSchedule();
  const queries = useQueryClient();
  const [form] = Form.useForm<Asked>();
  const set = useMutation({
    mutationFn: ({ every, day, hour, ...wanted }: Asked) =>
      answer(
        api.PUT("/api/reports/schedule", {
          body: { every, day, hour, terms: { ...termsOf(wanted), time_zone: brandZone } },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: REPORTS });
      close();
    },
  });
  return (
    <Modal
      open
      title={t("schedule.title")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ loading: set.isPending, disabled: !schedule.data }}
      onOk={() => {
        form.submit();
      }}
      onCancel={close}
    >
      <Answer of={schedule} height={320}>
        {(found) => (
          <Fields
            form={form}
            found={found}
            send={(asked) => {
              set.mutate(asked);
            }}
          />
        )}
      </Answer>
      {set.error && <Refused error={set.error} />}
    </Modal>
  );
}

interface FieldsProps {
  form: ReturnType<typeof Form.useForm<Asked>>[0];
  found: ReportSchedule;
  send: (asked: Asked) => void;
}

function Fields({ form, found, send }: FieldsProps) {
  const { t } = useTranslation("reports");
  const { language } = usePreferences();
  const initial: Asked = {
    ...wantedOf(found.terms, language),
    every: found.every,
    day: found.day,
    hour: found.hour,
  };
  const watched = Form.useWatch("every", form) as Asked["every"] | undefined;
  const every = watched ?? initial.every;
  const days = Array.from({ length: every === "weekly" ? 7 : 31 }, (_, at) => at + 1);
  return (
    <Form<Asked>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={initial}
      onFinish={(given) => {
        send({ ...initial, ...given });
      }}
      onValuesChange={(changed: Partial<Asked>) => {
        if (changed.every) form.setFieldValue("day", 1);
      }}
    >
      <Form.Item name="every" label={t("schedule.every")}>
        <Segmented options={EVERY.map((value) => ({ value, label: t(`schedule.everies.${value}`) }))} />
      </Form.Item>
      {every !== "off" && (
        <>
          <Form.Item
            name="day"
            label={t("schedule.day")}
            {...(every === "monthly" ? { extra: t("schedule.day_what") } : {})}
          >
            <Select
              options={days.map((value) => ({
                value,
                label: every === "weekly" ? weekday(value, language) : t("schedule.day_of_month", { day: value }),
              }))}
            />
          </Form.Item>
          <Form.Item name="hour" label={t("schedule.hour")} extra={brandZone}>
            <Select
              options={Array.from({ length: 24 }, (_, value) => ({
                value,
                label: `${String(value).padStart(2, "0")}:00`,
              }))}
            />
          </Form.Item>
          <TermsFields />
        </>
      )}
    </Form>
  );
}

/** 1 is Monday. */
function weekday(day: number, language: string): string {
  // The fifth of January 2026 was one.
  const some = new Date(Date.UTC(2026, 0, 4 + day));
  return new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(some);
}
