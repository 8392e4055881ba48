/** Language and appearance. */
import { BgColorsOutlined, TranslationOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import { useTranslation } from "react-i18next";

import { APPEARANCES, type Appearance } from "@/base/appearance";
import type { Language } from "@/base/language";

import { usePreferences } from "./preferences";

export function Choices() {
  const { t } = useTranslation("shell");
  const { language, speak, appearance, choose } = usePreferences();
  const other: Language = language === "zh-CN" ? "en" : "zh-CN";
  return (
    <>
      <Button
        type="text"
        icon={<TranslationOutlined />}
        lang={other}
        onClick={() => {
          speak(other);
        }}
      >
        {other === "en" ? "English" : "中文"}
      </Button>
      <Dropdown
        trigger={["click"]}
        menu={{
          selectable: true,
          selectedKeys: [appearance],
          items: APPEARANCES.map((key) => ({ key, label: t(`appearance.${key}`) })),
          onClick: ({ key }) => {
            choose(key as Appearance);
          },
        }}
      >
        <Button type="text" icon={<BgColorsOutlined />} aria-label={t("appearance.title")} />
      </Dropdown>
    </>
  );
}
