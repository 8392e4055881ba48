/** The products, as the shop or files said last. */
import { Input, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useLater } from "@/base/useLater";
import { useSaying } from "@/base/useSaying";
import { Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";
import { Rows } from "@/shell/Rows";

import styles from "./ProductList.module.css";
import { useProducts, type Product } from "./queries";

export function ProductList() {
  const { t } = useTranslation(["catalog", "shell"]);
  const say = useSaying();
  const [category, setCategory] = useState("");
  const [brand, setBrand] = useState("");
  const narrowed = { category: useLater(category.trim(), 300) || null, brand: useLater(brand.trim(), 300) || null };
  const products = useProducts(narrowed);
  const none = t("shell:unknown");
  const money = (minor: number | null | undefined, product: Product) =>
    minor == null ? none : say.money(minor, product.currency ?? null);
  const right = { align: "right" as const, className: "numbers" };
  return (
    <>
      <p className={styles.about}>{t("products.about")}</p>
      <div className={styles.bar}>
        <Input
          allowClear
          aria-label={t("category")}
          placeholder={t("category")}
          maxLength={200}
          value={category}
          onChange={(event) => {
            setCategory(event.target.value);
          }}
        />
        <Input
          allowClear
          aria-label={t("brand")}
          placeholder={t("brand")}
          maxLength={200}
          value={brand}
          onChange={(event) => {
            setBrand(event.target.value);
          }}
        />
      </div>
      <Panel>
        <Rows<Product>
          label={t("products.title")}
          of={products}
          rowKey="product_id"
          empty={
            narrowed.category || narrowed.brand ? (
              <Empty title={t("products.nothing")}>{t("products.nothing_why")}</Empty>
            ) : (
              <Empty title={t("products.none")}>
                <p>{t("products.none_how")}</p>
                <code>shuke import products products.csv</code>
              </Empty>
            )
          }
          columns={[
            { title: t("number"), dataIndex: "product_id" },
            {
              title: t("name"),
              render: (_, product) => (
                <>
                  {product.name ?? none} {!product.active && <Tag>{t("inactive")}</Tag>}
                </>
              ),
            },
            { title: t("category"), render: (_, product) => product.category ?? none },
            { title: t("brand"), render: (_, product) => product.brand ?? none },
            { title: t("price"), ...right, render: (_, product) => money(product.price_minor, product) },
            { title: t("cost"), ...right, render: (_, product) => money(product.cost_minor, product) },
          ]}
        />
      </Panel>
    </>
  );
}
