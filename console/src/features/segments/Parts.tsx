/** A sentence with parts of it that can be pressed: each opens a small form beside it. */
import { Button, Popover } from "antd";
import { createContext, Fragment, use, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import styles from "./Builder.module.css";

/** Whether what is said can be changed here. */
export const Changing = createContext(false);

export function useChanging(): boolean {
  return use(Changing);
}

/** The words of a sentence with holes, each filled with a part. */
export function Sentence({ text, parts }: { text: string; parts: Record<string, ReactNode> }) {
  return (
    <>
      {text
        .split(/\{(\w+)\}/)
        .map((piece, at) => (at % 2 === 1 ? <Fragment key={piece}>{parts[piece]}</Fragment> : piece))}
    </>
  );
}

/** Leaves holes of these names in a text, for {@link Sentence} to fill. */
export function holes<Name extends string>(...names: Name[]): Record<Name, string> {
  return Object.fromEntries(names.map((name) => [name, `{${name}}`])) as Record<Name, string>;
}

interface PartProps {
  /** What part of the sentence it is. */
  name: string;
  /** What it says; null where that has to be chosen yet. */
  text: string | null;
  /** Whether its form is open from the beginning. */
  begins?: boolean;
  children: ReactNode;
}

export function Part({ name, text, begins = false, children }: PartProps) {
  const { t } = useTranslation("segments");
  const changing = useChanging();
  const [open, setOpen] = useState(begins);
  const form = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const said = text ?? t("builder.choose");
  if (!changing) return <span className={styles.said}>{said}</span>;
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <Popover
      trigger="click"
      placement="bottom"
      open={open}
      onOpenChange={setOpen}
      afterOpenChange={(shown) => {
        if (shown) form.current?.querySelector<HTMLElement>("input, textarea, button")?.focus({ preventScroll: true });
      }}
      destroyOnHidden
      content={
        // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape leaves a dialog
        <div
          ref={form}
          role="dialog"
          aria-label={name}
          className={styles.form}
          onKeyDown={(event) => {
            if (event.key === "Escape") close();
          }}
        >
          {children}
          <div className={styles.done}>
            <Button size="small" type="primary" onClick={close}>
              {t("builder.done")}
            </Button>
          </div>
        </div>
      }
    >
      <button
        ref={button}
        type="button"
        className={text === null ? `${styles.part ?? ""} ${styles.open ?? ""}` : styles.part}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-label={`${name}: ${said}`}
      >
        {said}
      </button>
    </Popover>
  );
}

/** A field of such a form with what it is called. */
export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <span aria-hidden="true">{label}</span>
      {children}
    </div>
  );
}
