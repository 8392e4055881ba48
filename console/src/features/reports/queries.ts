/** What is asked of the room `reports`. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

import type { Language } from "@/base/language";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";

export type Report = components["schemas"]["ReportAnswer"];
export type ReportTerms = components["schemas"]["TermsBody"];
export type ReportSchedule = components["schemas"]["ScheduleAnswer"];
export type Finding = components["schemas"]["KeptFinding"];

export const REPORTS = ["reports"];
export const SCHEDULE = ["reports", "schedule"];
const PAGE = 10;

export function useReports() {
  return useInfiniteQuery({
    queryKey: [...REPORTS, "list"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      answer(api.GET("/api/reports", { params: { query: { before: pageParam, limit: PAGE } } })),
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

/** One report, where it is none of those that are listed. */
export function useReport(id: string | null) {
  return useQuery({
    queryKey: [...REPORTS, "one", id],
    queryFn: () => answer(api.GET("/api/reports/{report_id}", { params: { path: { report_id: id ?? "" } } })),
    enabled: id !== null,
  });
}

export function useFindings(language: Language) {
  return useQuery({
    queryKey: [...REPORTS, "findings", language],
    queryFn: () => answer(api.GET("/api/reports/latest/findings")),
  });
}

export function useSchedule() {
  return useQuery({ queryKey: SCHEDULE, queryFn: () => answer(api.GET("/api/reports/schedule")) });
}

/** Where a file of a report is. */
export function addressOf(report: Report, kind: string, language: string): string {
  return `/api/reports/${report.report_id}/${kind}?language=${language}`;
}
