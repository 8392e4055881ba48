/** Statements in their groups: read, or changed, added, copied, taken away and moved, by a mouse or by keys. */
import { HolderOutlined, MoreOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Dropdown, Select, type MenuProps } from "antd";
import { useEffect, useRef, useState, type DragEvent } from "react";
import { useTranslation } from "react-i18next";

import { useTelling } from "@/shell/undo";

import styles from "./Builder.module.css";
import { Changing, useChanging } from "./Parts";
import { Says } from "./says/Says";
import { useSpeaking } from "./speaking";
import { BEGINNINGS, begun, type Beginning } from "./statements";
import {
  copied,
  inserted,
  isGroup,
  movedTo,
  newKey,
  partAt,
  pathOf,
  removed,
  replaced,
  stepOf,
  unwrapped,
  wrapped,
  type Draft,
  type GroupDraft,
  type Joined,
  type Path,
  type StatementDraft,
  type Step,
} from "./tree";

const JOINS: readonly Joined[] = ["all", "any", "none"];
const STEPS: readonly Step[] = ["up", "down", "into", "out"];

/** What is wrong with a part. */
export interface Wrong {
  key: number;
  why: string;
}

interface Props {
  root: GroupDraft;
  /** Changes it, from what it is then; left out where it is only read. */
  change?: (change: (root: GroupDraft) => GroupDraft) => void;
  wrong?: Wrong | null;
  /** Those of the statements that are pointed out, and how. */
  marked?: { keys: ReadonlySet<number>; how: "gone" | "new" };
}

/** Where something that is dragged would go. */
interface Over {
  group: number;
  at: number;
}

interface Hands extends Pick<Props, "wrong" | "marked"> {
  root: GroupDraft;
  change: (change: (root: GroupDraft) => GroupDraft) => void;
  fresh: number | null;
  add: (path: Path, part: Draft) => void;
  dragged: number | null;
  drag: (key: number | null) => void;
  over: Over | null;
  hover: (over: Over | null) => void;
  drop: () => void;
  /** Changes which parts there are and where; `follow`: the part whose menu is gone on with. */
  arrange: (change: (root: GroupDraft) => GroupDraft, follow?: number) => void;
}

export function Tree({ root, change, wrong = null, marked }: Props) {
  const [fresh, setFresh] = useState<number | null>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<Over | null>(null);
  const followed = useRef<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  // What has gone into another group is another element there.
  useEffect(() => {
    if (followed.current === null) return;
    place.current?.querySelector<HTMLElement>(`[data-more="${followed.current}"]`)?.focus();
    followed.current = null;
  }, [root]);
  const arrange: Hands["arrange"] = (how, follow) => {
    // What moves is drawn anew there; the form of one that was just added is not opened again by that.
    setFresh(null);
    followed.current = follow ?? null;
    change?.(how);
  };
  const hands: Hands = {
    root,
    change: change ?? (() => undefined),
    arrange,
    fresh,
    add: (path, part) => {
      setFresh(part.key);
      change?.((now) => {
        const group = partAt(now, path);
        return inserted(now, path, group && isGroup(group) ? group.of.length : 0, part);
      });
    },
    dragged,
    drag: (key) => {
      setDragged(key);
      setOver(null);
    },
    over,
    hover: setOver,
    drop: () => {
      const from = dragged === null ? null : pathOf(root, dragged);
      const to = over && pathOf(root, over.group);
      if (from && to) arrange((now) => movedTo(now, from, to, over.at));
      setDragged(null);
      setOver(null);
    },
    wrong,
    ...(marked ? { marked } : {}),
  };
  return (
    <Changing value={change !== undefined}>
      <div ref={place}>
        <GroupBox draft={root} path={[]} hands={hands} />
      </div>
    </Changing>
  );
}

interface GroupProps {
  draft: GroupDraft;
  path: Path;
  hands: Hands;
}

function GroupBox({ draft, path, hands }: GroupProps) {
  const { t } = useTranslation("segments");
  const outermost = path.length === 0;
  const writes = useChanging();
  const title = (joined: Joined) => t(outermost ? `builder.outermost.${joined}` : `builder.joins.${joined}`);
  const says = title(draft.node);
  const onto = hands.over?.group === draft.key && draft.of.length === 0;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- for a mouse; keys have the menu
    <div
      className={styles.group}
      data-joined={draft.node}
      role="group"
      aria-label={t("builder.group", { joined: says })}
      data-onto={onto || undefined}
      onDragOver={(event) => {
        if (hands.dragged === null || draft.of.length > 0) return;
        event.preventDefault();
        event.stopPropagation();
        hands.hover({ group: draft.key, at: 0 });
      }}
      onDrop={(event) => {
        if (hands.dragged === null || draft.of.length > 0) return;
        event.preventDefault();
        event.stopPropagation();
        hands.drop();
      }}
    >
      <div className={styles.groupHead}>
        {writes ? (
          <Select<Joined>
            variant={outermost ? "borderless" : "outlined"}
            className={styles.joined ?? ""}
            popupMatchSelectWidth={false}
            aria-label={t("builder.joined")}
            value={draft.node}
            options={JOINS.map((value) => ({ value, label: title(value) }))}
            onChange={(node) => {
              hands.change((root) => replaced(root, at(root, draft), { ...draft, node }));
            }}
          />
        ) : (
          <strong>{says}</strong>
        )}
        {writes && !outermost && <More draft={draft} what={says} hands={hands} />}
      </div>
      {hands.wrong?.key === draft.key && <Why why={hands.wrong.why} />}
      {draft.of.length === 0 && <p className={styles.small}>{t(`builder.nothing.${draft.node}`)}</p>}
      <ul className={styles.parts}>
        {draft.of.map((part, number) => (
          <Item key={part.key} part={part} parent={draft} number={number} path={[...path, number]} hands={hands} />
        ))}
      </ul>
      {writes && (
        <div className={styles.tools}>
          <Add group={says} outermost={outermost} path={path} hands={hands} />
          <Button
            type="link"
            size="small"
            icon={<PlusOutlined />}
            onClick={() => {
              const node = draft.node === "any" ? "all" : "any";
              hands.add(path, { key: newKey(hands.root), node, of: [] });
            }}
          >
            {t("builder.add_group")}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Where the part is by now. */
function at(root: GroupDraft, part: Draft): Path {
  return pathOf(root, part.key) ?? [];
}

interface ItemProps {
  part: Draft;
  parent: GroupDraft;
  number: number;
  path: Path;
  hands: Hands;
}

function Item({ part, parent, number, path, hands }: ItemProps) {
  const { t } = useTranslation("segments");
  const writes = useChanging();
  const name = t("builder.statement", { number: path.map((one) => one + 1).join(".") });
  const here = hands.over?.group === parent.key ? hands.over.at : null;
  const drop = here === number ? "before" : here === parent.of.length && here === number + 1 ? "after" : undefined;
  const hover = (event: DragEvent<HTMLLIElement>) => {
    if (hands.dragged === null) return;
    event.preventDefault();
    event.stopPropagation();
    const { top, height } = event.currentTarget.getBoundingClientRect();
    const after = event.clientY > top + height / 2;
    hands.hover({ group: parent.key, at: number + (after ? 1 : 0) });
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- for a mouse; keys have the menu
    <li
      data-drop={drop}
      data-dragged={hands.dragged === part.key || undefined}
      data-marked={hands.marked?.keys.has(part.key) ? hands.marked.how : undefined}
      onDragOver={hover}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        hands.drop();
      }}
    >
      {writes && (
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- for a mouse; keys have the menu
        <span
          className={styles.handle}
          draggable
          title={t("builder.drag")}
          onDragStart={(event) => {
            event.dataTransfer.effectAllowed = "move";
            // Without something of its own, some browsers drag nothing.
            event.dataTransfer.setData("text/plain", name);
            const item = event.currentTarget.closest("li");
            if (item) event.dataTransfer.setDragImage(item, 12, 12);
            hands.drag(part.key);
          }}
          onDragEnd={() => {
            hands.drag(null);
          }}
        >
          <HolderOutlined aria-hidden="true" />
        </span>
      )}
      {isGroup(part) ? (
        <GroupBox draft={part} path={path} hands={hands} />
      ) : (
        <OneStatement part={part} name={name} hands={hands} />
      )}
    </li>
  );
}

function OneStatement({ part, name, hands }: { part: StatementDraft; name: string; hands: Hands }) {
  const writes = useChanging();
  return (
    <div className={styles.statement} role="group" aria-label={name}>
      <div className={styles.sentence}>
        <Says
          says={part.says}
          fresh={hands.fresh === part.key}
          change={(says) => {
            hands.change((root) => replaced(root, at(root, part), { ...part, says }));
          }}
        />
        {hands.wrong?.key === part.key && <Why why={hands.wrong.why} />}
      </div>
      {writes && <More draft={part} what={name} hands={hands} />}
    </div>
  );
}

function Why({ why }: { why: string }) {
  return (
    <p className={styles.wrong} role="alert">
      {why}
    </p>
  );
}

/** What can be done with a part as a whole, by keys as well. */
function More({ draft, what, hands }: { draft: Draft; what: string; hands: Hands }) {
  const { t } = useTranslation(["segments", "shell"]);
  const tell = useTelling();
  const path = at(hands.root, draft);
  const steps = STEPS.map((step) => ({
    key: step,
    label: t(`builder.moves.${step}`),
    disabled: stepOf(hands.root, path, step) === null,
  }));
  const items: MenuProps["items"] = [
    ...steps,
    { type: "divider" },
    { key: "wrap", label: t("builder.wrap") },
    ...(isGroup(draft) ? [{ key: "unwrap", label: t("builder.unwrap") }] : []),
    { key: "copy", label: t("builder.copy") },
    { key: "remove", label: t("builder.remove"), danger: true },
  ];
  const remove = () => {
    const group = path.slice(0, -1);
    const place = path.at(-1) ?? 0;
    hands.arrange((root) => removed(root, at(root, draft)));
    tell(t("builder.removed"), {
      back: () => {
        hands.arrange((root) => inserted(root, group, place, draft));
        return Promise.resolve();
      },
    });
  };
  return (
    <Dropdown
      autoFocus
      trigger={["click"]}
      menu={{
        items,
        onClick: ({ key }) => {
          if (key === "remove") {
            remove();
            return;
          }
          hands.arrange((root) => {
            const now = at(root, draft);
            if (key === "wrap") return wrapped(root, now, "any");
            if (key === "unwrap") return unwrapped(root, now);
            if (key === "copy") return copied(root, now);
            return stepOf(root, now, key as Step) ?? root;
          }, draft.key);
        },
      }}
    >
      <Button
        type="text"
        size="small"
        data-more={draft.key}
        icon={<MoreOutlined />}
        aria-label={t("builder.more", { what })}
      />
    </Dropdown>
  );
}

interface AddProps {
  group: string;
  outermost: boolean;
  path: Path;
  hands: Hands;
}

/** Those that have the name of a group of the menu, too. */
const NAMED: Partial<Record<Beginning, "bought_one" | "did_one">> = { bought: "bought_one", did: "did_one" };

function Add({ group, outermost, path, hands }: AddProps) {
  const { t } = useTranslation("segments");
  const { words } = useSpeaking();
  const label = outermost ? t("builder.add") : t("builder.add_to", { group });
  return (
    <Dropdown
      autoFocus
      trigger={["click"]}
      classNames={{ root: styles.menu ?? "" }}
      menu={{
        items: (Object.keys(BEGINNINGS) as (keyof typeof BEGINNINGS)[]).map((kind) => ({
          type: "group",
          key: `of_${kind}`,
          label: t(`menu.${kind}`),
          children: BEGINNINGS[kind].map((one) => ({ key: one, label: t(`menu.${NAMED[one] ?? one}`) })),
        })),
        onClick: ({ key }) => {
          const seed = crypto.randomUUID().slice(0, 8);
          // The brand's words are those of the server, whose kinds are ours.
          const says = begun(key as Beginning, words, seed);
          hands.add(path, { key: newKey(hands.root), says });
        },
      }}
    >
      <Button
        type={outermost ? "default" : "link"}
        size={outermost ? "middle" : "small"}
        icon={<PlusOutlined />}
        aria-label={label}
      >
        {t("builder.add")}
      </Button>
    </Dropdown>
  );
}
