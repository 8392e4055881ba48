/** A table of the components' kind, which the keyboard can scroll where it is wider than the window. */
import { Table, type TableProps } from "antd";
import { useEffect, useRef } from "react";

interface Props<Row> extends TableProps<Row> {
  /** What it is a table of, for whoever does not see it. */
  label: string;
}

export function Grid<Row extends object>({ label, ...table }: Props<Row>) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The components make this part scroll and offer no way to name it.
    const scrolls = place.current?.querySelector(".ant-table-content");
    scrolls?.setAttribute("tabindex", "0");
    scrolls?.setAttribute("role", "region");
    scrolls?.setAttribute("aria-label", label);
    // They measure by a hidden copy of the headings, of which the keyboard is to know nothing.
    for (const copy of place.current?.querySelectorAll(".ant-table-measure-row") ?? []) copy.setAttribute("inert", "");
  });
  return (
    <div ref={place}>
      <Table<Row> pagination={false} scroll={{ x: "max-content" }} {...table} />
    </div>
  );
}
