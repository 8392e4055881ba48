/** Find a customer from anywhere: Ctrl or ⌘ with K. */
import { SearchOutlined } from "@ant-design/icons";
import { Button, Input, Modal, type InputRef } from "antd";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useLater } from "@/base/useLater";
import { Empty, Refused } from "@/shell/Answer";

import styles from "./CustomerSearch.module.css";
import { useFound, type Row } from "./queries";
import { rowName } from "./rules";
import { Stage } from "./Stage";

const SHOWN = 8;
const MAC = navigator.userAgent.includes("Mac");

export function CustomerSearch() {
  const { t } = useTranslation("shell");
  const [open, setOpen] = useState(false);

  useEffect(() => {
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey)) {
        event.preventDefault();
        setOpen(true);
      }
    };
    addEventListener("keydown", pressed);
    return () => {
      removeEventListener("keydown", pressed);
    };
  }, []);

  return (
    <>
      <Button
        className={styles.opener ?? ""}
        icon={<SearchOutlined />}
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => {
          setOpen(true);
        }}
      >
        <span className={styles.openerText}>{t("search.open")}</span>
        <kbd className={styles.key} aria-hidden="true">
          {MAC ? "⌘K" : "Ctrl K"}
        </kbd>
      </Button>
      {open && (
        <Asking
          close={() => {
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

function Asking({ close }: { close: () => void }) {
  const { t } = useTranslation(["shell", "lifecycle"]);
  const go = useNavigate();
  const list = useId();
  const field = useRef<InputRef>(null);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const search = useLater(typed.trim(), 180);
  const found = useFound(search, SHOWN);
  const rows = search.length > 1 ? (found.data?.customers ?? []) : [];
  const at = Math.min(chosen, Math.max(rows.length - 1, 0));

  const open = (row: Row | undefined) => {
    if (!row) return;
    close();
    void go(`/customers/${row.customer_id}`);
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setChosen((at + step + rows.length) % Math.max(rows.length, 1));
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      open(rows[at]);
    }
  };

  return (
    <Modal
      open
      footer={null}
      closable={false}
      title={<span className={styles.hidden}>{t("search.title")}</span>}
      onCancel={close}
      width={600}
      className={styles.asking ?? ""}
      afterOpenChange={(isOpen) => {
        if (isOpen) field.current?.focus();
      }}
    >
      <Input
        ref={field}
        size="large"
        variant="borderless"
        prefix={<SearchOutlined />}
        placeholder={t("search.placeholder")}
        aria-label={t("search.title")}
        role="combobox"
        aria-expanded={rows.length > 0}
        aria-controls={list}
        aria-activedescendant={rows.length > 0 ? `${list}-${at}` : undefined}
        maxLength={100}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setChosen(0);
        }}
        onKeyDown={pressed}
      />
      <div className={styles.body}>
        {found.error && search.length > 1 && <Refused error={found.error} />}
        {search.length > 1 && found.data && rows.length === 0 && !found.isFetching && (
          <Empty title={t("search.nobody")}>{t("search.nobody_why")}</Empty>
        )}
        {rows.length === 0 && search.length < 2 && <p className={styles.hint}>{t("search.hint")}</p>}
        <div id={list} role="listbox" aria-label={t("search.found")} className={styles.found}>
          {rows.map((row, number) => (
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above has focus and keys
            <div
              key={row.customer_id}
              id={`${list}-${number}`}
              role="option"
              tabIndex={-1}
              aria-selected={number === at}
              onClick={() => {
                open(row);
              }}
              onMouseMove={() => {
                setChosen(number);
              }}
            >
              <strong>{rowName(row) ?? t("lifecycle:customer.unnamed")}</strong>
              <span>{[row.phone, row.email, row.member_number].filter(Boolean).join(" · ")}</span>
              {row.stage && <Stage stage={row.stage} />}
            </div>
          ))}
        </div>
      </div>
    </Modal>
  );
}
