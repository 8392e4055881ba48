/** Which columns, and in which order: by mouse or by keyboard. */
import { ArrowDownOutlined, ArrowUpOutlined, HolderOutlined } from "@ant-design/icons";
import { Button, Checkbox } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import styles from "./CustomersPage.module.css";
import { COLUMNS, moved, type Column } from "./viewing";

interface Props {
  columns: readonly Column[];
  choose: (columns: Column[]) => void;
}

export function ChosenColumns({ columns, choose }: Props) {
  const { t } = useTranslation("lifecycle");
  const [dragged, setDragged] = useState<number | null>(null);
  const left = COLUMNS.filter((column) => !columns.includes(column));
  const move = (from: number, to: number) => {
    choose(moved(columns, from, to));
  };
  return (
    <ul className={styles.columns} aria-label={t("customers.columns")}>
      {columns.map((column, at) => {
        const name = t(`columns.${column}`);
        return (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- for a mouse; keys have the buttons
          <li
            key={column}
            draggable
            onDragStart={() => {
              setDragged(at);
            }}
            onDragOver={(event) => {
              event.preventDefault();
            }}
            onDrop={() => {
              if (dragged !== null) move(dragged, at);
              setDragged(null);
            }}
          >
            <HolderOutlined className={styles.handle} aria-hidden="true" />
            <Checkbox
              checked
              disabled={columns.length === 1}
              onChange={() => {
                choose(columns.filter((one) => one !== column));
              }}
            >
              {name}
            </Checkbox>
            <Button
              type="text"
              size="small"
              icon={<ArrowUpOutlined />}
              aria-label={t("customers.column_up", { name })}
              disabled={at === 0}
              onClick={() => {
                move(at, at - 1);
              }}
            />
            <Button
              type="text"
              size="small"
              icon={<ArrowDownOutlined />}
              aria-label={t("customers.column_down", { name })}
              disabled={at === columns.length - 1}
              onClick={() => {
                move(at, at + 1);
              }}
            />
          </li>
        );
      })}
      {left.map((column) => (
        <li key={column}>
          <span className={styles.handle} />
          <Checkbox
            checked={false}
            onChange={() => {
              choose([...columns, column]);
            }}
          >
            {t(`columns.${column}`)}
          </Checkbox>
        </li>
      ))}
    </ul>
  );
}
