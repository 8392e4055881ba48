/** How to send events here, ready to be copied. */
import { CopyOutlined } from "@ant-design/icons";
import { App, Button, Tabs } from "antd";
import { useTranslation } from "react-i18next";

import { Panel } from "@/shell/Page";

import styles from "./DataPage.module.css";

const KEY = "WRITE_KEY";

function snippets(server: string): { key: string; label: string; text: string }[] {
  return [
    {
      key: "curl",
      label: "curl",
      text: [
        `curl -u ${KEY}: -H 'content-type: application/json' ${server}/v1/track \\`,
        `  -d '{"event": "Product Viewed", "userId": "u-1001",`,
        `       "context": {"externalIds": [{"type": "phone", "id": "13800138000"}]},`,
        `       "properties": {"product_id": "SKU-1", "name": "龙井"}}'`,
      ].join("\n"),
    },
    {
      key: "javascript",
      label: "JavaScript",
      text: [
        `import { AnalyticsBrowser } from "@segment/analytics-next";`,
        ``,
        `const analytics = AnalyticsBrowser.load({ writeKey: "${KEY}", cdnURL: "${server}" });`,
        `analytics.identify("u-1001", { phone: "13800138000" });`,
        `analytics.track("Product Viewed", { product_id: "SKU-1", name: "龙井" });`,
      ].join("\n"),
    },
    {
      key: "python",
      label: "Python",
      text: [
        `import segment.analytics as analytics`,
        ``,
        `analytics.write_key = "${KEY}"`,
        `analytics.host = "${server}"`,
        `analytics.track("u-1001", "Product Viewed", {"product_id": "SKU-1", "name": "龙井"})`,
        `analytics.flush()`,
      ].join("\n"),
    },
  ];
}

export function Snippets() {
  const { t } = useTranslation(["collect", "shell"]);
  const { message } = App.useApp();
  const copy = (text: string) =>
    navigator.clipboard.writeText(text).then(() => {
      void message.success(t("shell:copied"));
    });
  return (
    <Panel title={t("snippets.title")} about={t("snippets.about", { key: KEY })}>
      <Tabs
        items={snippets(location.origin).map(({ key, label, text }) => ({
          key,
          label,
          children: (
            <div className={styles.snippet}>
              {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls */}
              <pre className={styles.code} tabIndex={0} role="region" aria-label={label}>
                {text}
              </pre>
              <Button size="small" icon={<CopyOutlined />} onClick={() => void copy(text)}>
                {t("shell:copy")}
              </Button>
            </div>
          ),
        }))}
      />
    </Panel>
  );
}
