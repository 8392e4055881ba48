/** What can be done with many customers at once: those who are ticked, or all whom the list finds. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, DatePicker, Input, Modal } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { midnight } from "@/base/midnight";
import { brandZone } from "@/base/page";
import { useSaying } from "@/base/useSaying";
import { answer, api } from "@/platform/client";
import type { components } from "@/platform/schema";
import { Refused } from "@/shell/Answer";
import { useTelling } from "@/shell/undo";

import styles from "./CustomersPage.module.css";
import { Export } from "./Export";
import { withoutOrder, type Column } from "./viewing";
import type { ListBody } from "./wanted";

type Batch = components["schemas"]["TagBatch"];
type Count = components["schemas"]["Count"];

/** As the audit log and the tag itself say who put it on. */
const CONSOLE = "console";

interface Props {
  /** The numbers of those who are ticked. */
  ticked: readonly string[];
  /** Whether all are meant whom the list finds. */
  all: boolean;
  count: Count | null;
  query: ListBody;
  columns: readonly Column[];
  writes: boolean;
  exports: boolean;
  takeAll: () => void;
  clear: () => void;
}

export function Selected({ ticked, all, count, query, columns, writes, exports, takeAll, clear }: Props) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const [asking, setAsking] = useState<"add" | "remove" | "export" | null>(null);
  const found = count?.customers ?? 0;
  const number = all ? found : ticked.length;
  const exact = !all || count?.exact === true;
  const said = t(exact ? "selected.count" : "selected.count_about", { count: number, number: say.number(number) });
  return (
    <div className={styles.selected} role="region" aria-label={t("selected.title")}>
      <strong aria-live="polite">{said}</strong>
      {!all && found > ticked.length && (
        <Button type="link" size="small" onClick={takeAll}>
          {t(count?.exact ? "selected.all" : "selected.all_about", { count: found, number: say.number(found) })}
        </Button>
      )}
      {writes && (
        <>
          <Button
            size="small"
            onClick={() => {
              setAsking("add");
            }}
          >
            {t("selected.tag")}
          </Button>
          <Button
            size="small"
            onClick={() => {
              setAsking("remove");
            }}
          >
            {t("selected.untag")}
          </Button>
        </>
      )}
      {exports && (
        <Button
          size="small"
          onClick={() => {
            setAsking("export");
          }}
        >
          {t("export.do")}
        </Button>
      )}
      <Button type="text" size="small" onClick={clear}>
        {t("selected.none")}
      </Button>
      {asking === "export" && (
        <Export
          whom={all ? { query } : { customer_ids: [...ticked] }}
          said={said}
          columns={columns}
          order={query}
          close={() => {
            setAsking(null);
          }}
        />
      )}
      {(asking === "add" || asking === "remove") && (
        <TagMany
          remove={asking === "remove"}
          whom={all ? { query } : { customer_ids: [...ticked] }}
          close={() => {
            setAsking(null);
          }}
          done={() => {
            setAsking(null);
            clear();
          }}
        />
      )}
    </div>
  );
}

interface TagManyProps {
  remove: boolean;
  whom: { query: ListBody } | { customer_ids: string[] };
  close: () => void;
  done: () => void;
}

function TagMany({ remove, whom, close, done }: TagManyProps) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const say = useSaying();
  const tell = useTelling();
  const queries = useQueryClient();
  const [tag, setTag] = useState("");
  const [until, setUntil] = useState<Dayjs | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: ["customers"] });
  const told = (batch: Batch) => {
    const back = async () => {
      const params = { path: { batch_id: batch.batch_id } };
      const undone = await answer(api.POST("/api/customers/tags/{batch_id}/undo", { params }));
      await again();
      tell(t("selected.undone", { count: undone.changed, number: say.number(undone.changed), tag: batch.tag }));
    };
    tell(
      t(remove ? "selected.untagged" : "selected.tagged", {
        count: batch.changed,
        number: say.number(batch.changed),
        tag: batch.tag,
      }),
      { back: batch.changed > 0 ? back : null },
    );
  };
  const change = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/customers/tags", {
          body: {
            ...(withoutOrder(whom) as { customer_ids: string[] }),
            tag: tag.trim(),
            source: remove ? null : CONSOLE,
            // The day is the last on which it counts.
            expires_at: until ? midnight(until.format("YYYY-MM-DD"), 1, brandZone) : null,
            remove,
          },
        }),
      ),
    onSuccess: async (batch) => {
      await again();
      done();
      told(batch);
    },
  });
  const go = () => {
    if (tag.trim()) change.mutate();
  };
  return (
    <Modal
      open
      title={t(remove ? "selected.untag" : "selected.tag")}
      okText={t(remove ? "shell:remove" : "shell:add")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: !tag.trim(), loading: change.isPending, danger: remove }}
      onOk={go}
      onCancel={close}
    >
      <p>{t(remove ? "selected.untag_what" : "selected.tag_what")}</p>
      <div className={styles.dialog}>
        <Input
          autoFocus
          aria-label={t("columns.tag")}
          placeholder={t("columns.tag")}
          maxLength={50}
          value={tag}
          onChange={(event) => {
            setTag(event.target.value);
          }}
          onPressEnter={go}
        />
        {!remove && (
          <DatePicker
            aria-label={t("selected.until")}
            placeholder={t("selected.until")}
            value={until}
            onChange={setUntil}
          />
        )}
      </div>
      {change.error && <Refused error={change.error} />}
    </Modal>
  );
}
