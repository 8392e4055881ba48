/** A table of a list that comes page by page. */
import { Button, type TableColumnsType } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Answer } from "./Answer";
import { Grid } from "./Grid";

interface Listed<Row> {
  data: { pages: { items: Row[] }[] } | undefined;
  error: Error | null;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

interface Props<Row> {
  label: string;
  of: Listed<Row>;
  rowKey: (keyof Row & string) | ((row: Row) => string);
  columns: TableColumnsType<Row>;
  empty: ReactNode;
  height?: number;
}

export function Rows<Row extends object>({ label, of, rowKey, columns, empty, height = 480 }: Props<Row>) {
  const { t } = useTranslation("shell");
  return (
    <Answer of={of as never} height={height}>
      {() => {
        const rows = of.data?.pages.flatMap((page) => page.items) ?? [];
        if (rows.length === 0) return empty;
        return (
          <>
            <Grid<Row> label={label} rowKey={rowKey} size="middle" dataSource={rows} columns={columns} />
            {of.hasNextPage && (
              <p>
                <Button loading={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
                  {t("more")}
                </Button>
              </p>
            )}
          </>
        );
      }}
    </Answer>
  );
}
