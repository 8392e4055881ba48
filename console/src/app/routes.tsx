/** The addresses of the console. Each page is loaded when it is first gone to. */
import { TeamOutlined, DatabaseOutlined } from "@ant-design/icons";
import type { ComponentType } from "react";
import { createBrowserRouter, Navigate, Outlet, type RouteObject } from "react-router";

import { Choices } from "@/shell/Choices";
import type { Entry } from "@/shell/Navigation";
import { Shell } from "@/shell/Shell";
import { Nowhere, Wrong } from "@/shell/Wrong";

const ENTRIES: readonly Entry[] = [
  { to: "/customers", icon: <TeamOutlined />, label: "customers" },
  { to: "/data", icon: <DatabaseOutlined />, label: "data" },
];

function page(path: string, load: () => Promise<ComponentType>): RouteObject {
  return { path, lazy: async () => ({ Component: await load() }) };
}

const PAGES: RouteObject[] = [
  page("/customers/:customer", async () => (await import("@/features/lifecycle/CustomerPage")).CustomerPage),
];

export function openRoutes() {
  return createBrowserRouter([
    {
      element: <Shell entries={ENTRIES} tools={<Choices />} />,
      hydrateFallbackElement: <></>,
      errorElement: <Wrong />,
      children: [
        {
          // Inside the shell, so that the way to the other pages stays.
          errorElement: <Wrong />,
          element: <Outlet />,
          children: [
            { index: true, element: <Navigate to="/customers" replace /> },
            ...PAGES,
            { path: "*", element: <Nowhere /> },
          ],
        },
      ],
    },
  ]);
}
