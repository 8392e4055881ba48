/** How often a report is made by itself. */
import { useQueryClient } from "@tanstack/react-query";
import { Form, Segmented, Select, type FormInstance } from "antd";
import { useTranslation } from "react-i18next";

import type { Language } from "@/base/language";
import { brandZone } from "@/base/page";
import { api } from "@/platform/client";
import { meaning, tagged } from "@/platform/editing";
import { EditDialog } from "@/shell/EditDialog";
import { usePreferences } from "@/shell/preferences";

import { REPORTS, SCHEDULE, type ReportSchedule } from "./queries";
import { TermsFields } from "./Terms";
import { termsOf, wantedOf, type Wanted } from "./terms";

const EVERY = ["off", "weekly", "monthly"] as const;
type Asked = Wanted & { every: ReportSchedule["every"]; day: number; hour: number };

const OF_SCHEDULE = { name: SCHEDULE, read: () => tagged(api.GET("/api/reports/schedule")) };

export function ScheduleReports({ close }: { close: () => void }) {
  const { t } = useTranslation("reports");
  const { language } = usePreferences();
  const queries = useQueryClient();
  return (
    <EditDialog<ReportSchedule, Asked>
      title={t("schedule.title")}
      of={OF_SCHEDULE}
      begin={(found) => (found ? askedOf(found, language) : {})}
      save={async (given, before) => {
        if (!before) return;
        // What is not shown stays as it was.
        const { every, day, hour, ...wanted } = { ...askedOf(before.thing, language), ...given };
        const terms = { ...termsOf(wanted), time_zone: brandZone };
        const params = { header: meaning(before.tag) };
        await api.PUT("/api/reports/schedule", { params, body: { every, day, hour, terms } });
        await queries.invalidateQueries({ queryKey: REPORTS });
      }}
      close={close}
      height={320}
      onValuesChange={(changed, form) => {
        if (changed.every) form.setFieldValue("day", 1);
      }}
    >
      {(form, found) => <Fields form={form} begun={found?.every ?? "off"} />}
    </EditDialog>
  );
}

function askedOf(found: ReportSchedule, language: Language): Asked {
  return { ...wantedOf(found.terms, language), every: found.every, day: found.day, hour: found.hour };
}

function Fields({ form, begun }: { form: FormInstance<Asked>; begun: Asked["every"] }) {
  const { t } = useTranslation("reports");
  const { language } = usePreferences();
  const every = (Form.useWatch("every", form) as Asked["every"] | undefined) ?? begun;
  const days = Array.from({ length: every === "weekly" ? 7 : 31 }, (_, at) => at + 1);
  return (
    <>
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
    </>
  );
}

/** 1 is Monday. */
function weekday(day: number, language: string): string {
  // The fifth of January 2026 was one.
  const some = new Date(Date.UTC(2026, 0, 4 + day));
  return new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" }).format(some);
}
