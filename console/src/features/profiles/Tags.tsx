/** Labels on a customer, added and taken away where they stand. */
import { PlusOutlined } from "@ant-design/icons";
import { Button, Input, Tag as Label, Tooltip } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useDoing } from "@/shell/doing";
import { useTelling } from "@/shell/undo";

import styles from "./Customer.module.css";
import { useAddTag, useRemoveTag, useUndoTags, type Tag } from "./queries";

interface Props {
  customer: string;
  tags: readonly Tag[];
  writes: boolean;
}

export function Tags({ customer, tags, writes }: Props) {
  const { t } = useTranslation("profiles");
  const tell = useTelling();
  const say = useSaying();
  const add = useAddTag(customer);
  const remove = useRemoveTag(customer);
  const undo = useUndoTags(customer);
  const { attempt } = useDoing();
  const [draft, setDraft] = useState<string | null>(null);
  const names = [...new Set(tags.map((one) => one.tag))];

  const take = (tag: string) =>
    attempt(async () => {
      const batch = await remove.mutateAsync(tag);
      tell(t("tags.removed", { tag }), { back: () => undo.mutateAsync(batch.batch_id) });
    });
  const put = () =>
    attempt(async () => {
      const tag = draft?.trim();
      if (tag) await add.mutateAsync(tag);
      setDraft(null);
    });

  return (
    <div className={styles.tags}>
      {names.map((name) => (
        <Tooltip key={name} title={<Origin tags={tags.filter((one) => one.tag === name)} say={say.day} />}>
          <Label
            closable={writes && { "aria-label": t("tags.remove", { tag: name }) }}
            onClose={(event) => {
              event.preventDefault();
              void take(name);
            }}
          >
            {name}
          </Label>
        </Tooltip>
      ))}
      {writes && draft === null && (
        <Button
          type="dashed"
          size="small"
          icon={<PlusOutlined />}
          onClick={() => {
            setDraft("");
          }}
        >
          {t("tags.add")}
        </Button>
      )}
      {draft !== null && (
        <Input
          autoFocus
          size="small"
          className={styles.tagInput ?? ""}
          maxLength={50}
          aria-label={t("tags.add")}
          placeholder={t("tags.add")}
          value={draft}
          onChange={(event) => {
            setDraft(event.target.value);
          }}
          onPressEnter={() => void put()}
          onBlur={() => void put()}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
          }}
        />
      )}
    </div>
  );
}

function Origin({ tags, say }: { tags: readonly Tag[]; say: (moment: string) => string }) {
  return tags.map((one) => (
    <div key={one.source}>
      {one.source} · {say(one.added_at)}
      {one.expires_at && ` → ${say(one.expires_at)}`}
    </div>
  ));
}
