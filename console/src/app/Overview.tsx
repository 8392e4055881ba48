/** The overview with what the rooms above it add: neither knows of the other. */
import { OverviewPage } from "@/features/lifecycle/OverviewPage";
import { LatestFindings } from "@/features/reports/LatestFindings";

export function Overview() {
  return <OverviewPage findings={<LatestFindings />} />;
}
