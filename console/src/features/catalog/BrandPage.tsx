/** Who the brand is, and by which clock, money and margin it reckons. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, InputNumber, Select } from "antd";
import { useTranslation } from "react-i18next";

import { useMay } from "@/features/access/session";
import { api } from "@/platform/client";
import { meaning, tagged, useEdited, type Tagged } from "@/platform/editing";
import type { components } from "@/platform/schema";
import { Answer, Refused } from "@/shell/Answer";
import { Page, Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import styles from "./Catalog.module.css";
import { BRAND } from "./queries";

type Brand = components["schemas"]["BrandAnswer"];
type Said = components["schemas"]["BrandBody"];

const OF_BRAND = { name: BRAND, read: () => tagged(api.GET("/api/settings/brand")) };

export function BrandPage() {
  const { t } = useTranslation("catalog");
  const brand = useEdited(OF_BRAND);
  return (
    <Page title={t("brand_page.title")} about={t("brand_page.about")}>
      <Panel>
        <Answer of={brand} height={360}>
          {(found) => <EditBrand key={found.tag} before={found} goOn={brand.goOn} renew={brand.renew} />}
        </Answer>
      </Panel>
    </Page>
  );
}

interface Given {
  name: string;
  time_zone?: string | null;
  currency?: string | null;
  margin?: number | null;
}

interface EditProps {
  before: Tagged<Brand>;
  goOn: (made: Tagged<Brand>) => void;
  renew: () => void;
}

function EditBrand({ before, goOn, renew }: EditProps) {
  const brand = before.thing;
  const { t, i18n } = useTranslation(["catalog", "shell"]);
  const may = useMay();
  const tell = useTelling();
  const queries = useQueryClient();
  const writes = may("settings.write");
  const put = async (body: Said, tag: string) => {
    const made = await tagged(api.PUT("/api/settings/brand", { params: { header: meaning(tag) }, body }));
    goOn(made);
    await queries.invalidateQueries({ queryKey: BRAND });
    return made;
  };
  const save = useMutation({
    mutationFn: (given: Given) =>
      put(
        {
          name: given.name.trim() === "" ? null : given.name.trim(),
          time_zone: given.time_zone ?? null,
          currency: given.currency ?? null,
          margin: given.margin == null ? null : given.margin / 100,
        },
        before.tag,
      ),
    onSuccess: ({ tag }) => {
      const { name, time_zone, currency, margin } = brand;
      const said = {
        name: name ?? null,
        time_zone: time_zone ?? null,
        currency: currency ?? null,
        margin: margin ?? null,
      };
      tell(t("brand_page.saved"), { back: () => put(said, tag) });
    },
  });
  const currencies = new Intl.DisplayNames([i18n.language], { type: "currency" });
  return (
    <Form
      layout="vertical"
      requiredMark={false}
      disabled={!writes}
      className={styles.form ?? ""}
      initialValues={{
        name: brand.name ?? "",
        time_zone: brand.time_zone ?? null,
        currency: brand.currency ?? null,
        margin: brand.margin == null ? null : Math.round(brand.margin * 10_000) / 100,
      }}
      onFinish={(given: Given) => {
        save.mutate(given);
      }}
    >
      <Form.Item name="name" label={t("brand_page.name")} extra={t("brand_page.name_what")}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="time_zone" label={t("time_zone")} extra={t("brand_page.zone_what")}>
        <Select
          allowClear
          showSearch
          placeholder={t("brand_page.zone_default", { zone: brand.time_zone_default })}
          options={Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone }))}
        />
      </Form.Item>
      <Form.Item name="currency" label={t("brand_page.currency")} extra={t("brand_page.currency_what")}>
        <Select
          allowClear
          showSearch={{ optionFilterProp: "label" }}
          placeholder={t("brand_page.currency_default")}
          options={Intl.supportedValuesOf("currency").map((code) => ({
            value: code,
            label: `${code} · ${currencies.of(code) ?? code}`,
          }))}
        />
      </Form.Item>
      <Form.Item name="margin" label={t("brand_page.margin")} extra={t("brand_page.margin_what")}>
        <InputNumber min={0.01} max={100} suffix="%" placeholder={t("brand_page.margin_default")} />
      </Form.Item>
      {save.error && <Refused error={save.error} newest={renew} />}
      {writes && (
        <Button type="primary" htmlType="submit" loading={save.isPending}>
          {t("shell:save")}
        </Button>
      )}
    </Form>
  );
}
