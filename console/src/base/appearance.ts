/** Light or dark, as chosen or as the system has it; the same colours as the report's. */
import type { ThemeConfig } from "antd";
import { theme as antd } from "antd";
import { useEffect, useMemo, useState, useSyncExternalStore } from "react";

export const APPEARANCES = ["system", "light", "dark"] as const;
export type Appearance = (typeof APPEARANCES)[number];

const REMEMBERED = "shuke.appearance";
const DARK = "(prefers-color-scheme: dark)";
const STILL = "(prefers-reduced-motion: reduce)";
const FONTS =
  '-apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Helvetica Neue", Arial, sans-serif';

export function useMedia(query: string): boolean {
  const list = useMemo(() => matchMedia(query), [query]);
  return useSyncExternalStore(
    (changed) => {
      list.addEventListener("change", changed);
      return () => {
        list.removeEventListener("change", changed);
      };
    },
    () => list.matches,
  );
}

export interface Appearing {
  appearance: Appearance;
  dark: boolean;
  theme: ThemeConfig;
  choose: (appearance: Appearance) => void;
}

export function useAppearance(): Appearing {
  const [appearance, setAppearance] = useState<Appearance>(remembered);
  const systemDark = useMedia(DARK);
  const still = useMedia(STILL);
  const dark = appearance === "dark" || (appearance === "system" && systemDark);
  const theme = useMemo(() => themeOf(dark, still), [dark, still]);
  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    document.documentElement.dataset.appearance = dark ? "dark" : "light";
  }, [dark]);
  const choose = (chosen: Appearance) => {
    localStorage.setItem(REMEMBERED, chosen);
    setAppearance(chosen);
  };
  return { appearance, dark, theme, choose };
}

function remembered(): Appearance {
  const known = localStorage.getItem(REMEMBERED);
  return APPEARANCES.find((appearance) => appearance === known) ?? "system";
}

function themeOf(dark: boolean, still: boolean): ThemeConfig {
  return {
    cssVar: { key: "shuke" },
    hashed: false,
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      fontFamily: FONTS,
      colorPrimary: dark ? "#5fb0e0" : "#17608f",
      colorInfo: dark ? "#5fb0e0" : "#17608f",
      // The palette that follows from the colour is too grey to stand behind what is chosen.
      colorPrimaryBg: dark ? "#16324a" : "#e4f0f8",
      colorPrimaryBgHover: dark ? "#1b3e5b" : "#d3e6f3",
      colorBgContainer: dark ? "#161e26" : "#ffffff",
      colorBgElevated: dark ? "#1d2832" : "#ffffff",
      colorBorderSecondary: dark ? "#26323d" : "#e6eaee",
      colorBorder: dark ? "#3a4754" : "#d3dae0",
      colorSuccess: dark ? "#4bc0a4" : "#12795f",
      colorWarning: dark ? "#f0a04b" : "#a34f00",
      colorError: dark ? "#f28b7d" : "#b3261e",
      colorSuccessBg: dark ? "#12332b" : "#e2f3ee",
      colorWarningBg: dark ? "#3a2813" : "#fdf0e1",
      colorErrorBg: dark ? "#3d1c19" : "#fcebe9",
      colorLink: dark ? "#7cc0ea" : "#12507b",
      colorTextBase: dark ? "#e8edf1" : "#1b2733",
      colorBgBase: dark ? "#12181e" : "#ffffff",
      colorBgLayout: dark ? "#0d1217" : "#f5f7f9",
      // Muted text keeps 4.5:1 with what it stands on.
      colorTextSecondary: dark ? "#aab6c0" : "#54626d",
      colorTextTertiary: dark ? "#98a5b0" : "#5f6d78",
      colorTextDescription: dark ? "#aab6c0" : "#54626d",
      colorTextPlaceholder: dark ? "#8d9aa5" : "#697680",
      borderRadius: 8,
      motion: !still,
    },
    components: {
      Button: { primaryColor: dark ? "#06141f" : "#ffffff", primaryShadow: "none", defaultShadow: "none" },
      Table: {
        headerBg: "transparent",
        headerSplitColor: "transparent",
        cellPaddingInlineMD: 14,
        cellPaddingBlockMD: 9,
      },
    },
  };
}
