/** The addresses of the console. Each page is loaded when it is first gone to. */
import {
  DashboardOutlined,
  DatabaseOutlined,
  FunnelPlotOutlined,
  NodeIndexOutlined,
  FileTextOutlined,
  SettingOutlined,
  ShoppingOutlined,
  TeamOutlined,
} from "@ant-design/icons";
import { useEffect, type ComponentType } from "react";
import { createBrowserRouter, Navigate, Outlet, type RouteObject } from "react-router";

import { languageWasChosen } from "@/base/language";
import { AccountMenu } from "@/features/access/AccountMenu";
import { Gate } from "@/features/access/Gate";
import { useMay, useMe } from "@/features/access/session";
import { FirstSetting, SettingsPage, type Setting } from "@/features/access/SettingsPage";
import { CustomerSearch } from "@/features/lifecycle/CustomerSearch";
import { useStageNames } from "@/features/lifecycle/stages";
import { Choices } from "@/shell/Choices";
import type { Entry } from "@/shell/Navigation";
import { usePreferences } from "@/shell/preferences";
import { Shell } from "@/shell/Shell";
import { Nowhere, Wrong } from "@/shell/Wrong";

const SETTINGS: readonly Setting[] = [
  { to: "/settings/brand", label: "brand", permission: "settings.read" },
  { to: "/settings/stages", label: "stages", permission: "settings.read" },
  { to: "/settings/attributes", label: "attributes", permission: "customers.read" },
  { to: "/settings/stores", label: "stores", permission: "catalog.read" },
  { to: "/settings/channels", label: "channels", permission: "catalog.read" },
  { to: "/settings/team", label: "team", permission: "people.read" },
  { to: "/settings/roles", label: "roles", permission: "people.read" },
  { to: "/settings/keys", label: "keys", permission: "keys.write" },
  { to: "/settings/webhooks", label: "webhooks", permission: "connectors.read" },
  { to: "/settings/audit", label: "audit", permission: "audit.read" },
];

const ENTRIES: readonly (Entry & { permission: string })[] = [
  { to: "/overview", icon: <DashboardOutlined />, label: "overview", permission: "customers.read" },
  { to: "/customers", icon: <TeamOutlined />, label: "customers", permission: "customers.read" },
  { to: "/segments", icon: <FunnelPlotOutlined />, label: "segments", permission: "segments.read" },
  { to: "/lifecycle", icon: <NodeIndexOutlined />, label: "lifecycle", permission: "lifecycle.read" },
  { to: "/products", icon: <ShoppingOutlined />, label: "products", permission: "catalog.read" },
  { to: "/data", icon: <DatabaseOutlined />, label: "data", permission: "data.read" },
  { to: "/report", icon: <FileTextOutlined />, label: "report", permission: "reports.read" },
  { to: "/settings", icon: <SettingOutlined />, label: "settings", permission: "own" },
];

function page(path: string, load: () => Promise<ComponentType>): RouteObject {
  return { path, hydrateFallbackElement: <></>, lazy: async () => ({ Component: await load() }) };
}

const PAGES: RouteObject[] = [
  page("/overview", async () => (await import("./Overview")).Overview),
  page("/customers", async () => (await import("@/features/lifecycle/CustomersPage")).CustomersPage),
  page("/customers/:customer", async () => (await import("@/features/lifecycle/CustomerPage")).CustomerPage),
  page("/segments", async () => (await import("@/features/segments/SegmentsPage")).SegmentsPage),
  page("/segments/new", async () => (await import("@/features/segments/BuilderPage")).BuilderPage),
  page("/segments/lists", async () => (await import("@/features/segments/ListsPage")).ListsPage),
  page("/segments/groups", async () => (await import("@/features/segments/GroupsPage")).GroupsPage),
  page("/segments/:segment", async () => (await import("@/features/segments/SegmentPage")).SegmentPage),
  page("/segments/:segment/edit", async () => (await import("@/features/segments/BuilderPage")).BuilderPage),
  page(
    "/segments/:segment/compare/:other",
    async () => (await import("@/features/segments/ComparisonPage")).ComparisonPage,
  ),
  page("/lifecycle", async () => (await import("@/features/lifecycle/LifecyclePage")).LifecyclePage),
  page("/products", async () => (await import("@/features/lifecycle/ProductsPage")).ProductsPage),
  page("/data", async () => (await import("@/features/collect/DataPage")).DataPage),
  page("/data/import", async () => (await import("@/features/collect/ImportPage")).ImportPage),
  page("/data/imports/:job", async () => (await import("@/features/collect/Imported")).ImportedPage),
  page("/report", async () => (await import("@/features/reports/ReportPage")).ReportPage),
  page("/account", async () => (await import("@/features/access/AccountPage")).AccountPage),
  {
    path: "/settings",
    element: <SettingsPage settings={SETTINGS} />,
    children: [
      { index: true, element: <FirstSetting settings={SETTINGS} /> },
      page("brand", async () => (await import("@/features/catalog/BrandPage")).BrandPage),
      page("stages", async () => (await import("@/features/lifecycle/StagesPage")).StagesPage),
      page("attributes", async () => (await import("@/features/profiles/AttributesPage")).AttributesPage),
      page("stores", async () => (await import("@/features/catalog/PlacesPages")).StoresPage),
      page("channels", async () => (await import("@/features/catalog/PlacesPages")).ChannelsPage),
      page("team", async () => (await import("@/features/access/TeamPage")).TeamPage),
      page("roles", async () => (await import("@/features/access/RolesPage")).RolesPage),
      page("keys", async () => (await import("@/features/access/KeysPage")).KeysPage),
      page("webhooks", async () => (await import("@/features/connectors/WebhooksPage")).WebhooksPage),
      page("audit", async () => (await import("@/features/access/AuditPage")).AuditPage),
    ],
  },
];

function SignedIn() {
  return (
    <Gate>
      <StageNames />
      <Framed />
    </Gate>
  );
}

/** By itself: nothing else is drawn anew when they come. */
function StageNames() {
  useStageNames();
  return null;
}

function Framed() {
  const may = useMay();
  const me = useMe();
  const { language, speak } = usePreferences();

  // A browser in which nobody chose a language goes on in the account's.
  useEffect(() => {
    if (!languageWasChosen() && me.language !== language) speak(me.language);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, on coming in
  }, []);

  return (
    <Shell
      entries={ENTRIES.filter((entry) => may(entry.permission))}
      tools={
        <>
          {may("customers.read") && <CustomerSearch />}
          <Choices />
          <AccountMenu />
        </>
      }
    />
  );
}

function First() {
  const may = useMay();
  const first = ENTRIES.find((entry) => may(entry.permission));
  return <Navigate to={first?.to ?? "/account"} replace />;
}

const GATED = "gated";

/** Whether the address is one that only those see who are signed in. */
export function isGated(routes: ReturnType<typeof openRoutes>): boolean {
  return routes.state.matches.some(({ route }) => route.id === GATED);
}

export function openRoutes() {
  return createBrowserRouter([
    page("/setup", async () => (await import("@/features/access/Setup")).Setup),
    page("/invite", async () => (await import("@/features/access/Invite")).Invite),
    {
      id: GATED,
      element: <SignedIn />,
      hydrateFallbackElement: <></>,
      errorElement: <Wrong />,
      children: [
        {
          // Inside the shell, so that the way to the other pages stays.
          errorElement: <Wrong />,
          element: <Outlet />,
          children: [
            { index: true, element: <First /> },
            { path: "/sign-in", element: <First /> },
            ...PAGES,
            { path: "*", element: <Nowhere /> },
          ],
        },
      ],
    },
  ]);
}
