/** Lists that somebody wants to see again: chosen, saved, shared, made the first to be seen. */
import {
  DownOutlined,
  EditOutlined,
  PushpinFilled,
  PushpinOutlined,
  TeamOutlined,
  UserOutlined,
} from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Checkbox, Dropdown, Form, Input, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { meaning, tagged, useEdited, type Tagged } from "@/platform/editing";
import { Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { EditDialog } from "@/shell/EditDialog";
import { useTelling } from "@/shell/undo";

import styles from "./CustomersPage.module.css";
import { bodyOfView, isChanged, seenOfView, type Clock, type Seen, type View } from "./viewing";

const VIEWS = ["views"];

function ofView({ view_id }: View) {
  const params = { path: { view_id } };
  return { name: [...VIEWS, view_id], read: () => tagged(api.GET("/api/views/{view_id}", { params })) };
}

/** The view that is shown, as it was when it came to be shown: what is saved is saved over that. */
export function useShown(view: View | null) {
  return useEdited(view && ofView(view));
}

function put({ thing, tag }: Tagged<View>, body: ReturnType<typeof bodyOfView>) {
  const params = { path: { view_id: thing.view_id }, header: meaning(tag) };
  return tagged(api.PUT("/api/views/{view_id}", { params, body }));
}

export function useViews() {
  return useQuery({ queryKey: VIEWS, queryFn: () => answer(api.GET("/api/views")), staleTime: 300_000 });
}

interface Props {
  seen: Seen;
  views: readonly View[];
  first: string | null;
  clock: Clock;
  shown: ReturnType<typeof useShown>;
  show: (seen: Seen | null) => void;
}

/** The view that is shown, the others to choose from, and what can be done with what is shown. */
export function Views({ seen, views, first, clock, shown, show }: Props) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const may = useMay();
  const queries = useQueryClient();
  const { attempt } = useDoing();
  const tell = useTelling();
  const [naming, setNaming] = useState<"new" | "rename" | null>(null);
  const again = () => queries.invalidateQueries({ queryKey: VIEWS });
  const { view } = seen;
  const changed = isChanged(seen, clock);
  const mayChange = view !== null && (view.shared ? may("settings.write") : true);

  const save = useMutation({
    mutationFn: (before: Tagged<View>) => put(before, bodyOfView(seen, before.thing, clock)),
    onSuccess: async (kept) => {
      shown.goOn(kept);
      await again();
      show(seenOfView(kept.thing, clock));
      tell(t("views.saved", { name: kept.thing.name }));
    },
  });
  const remove = (chosen: View) =>
    attempt(async () => {
      const { tag } = shown.data ?? (await ofView(chosen).read());
      await api.DELETE("/api/views/{view_id}", { params: { ...byId(chosen), header: meaning(tag) } });
      show({ ...seen, view: null });
      await again();
      const back = async () => {
        await api.POST("/api/views/{view_id}/restore", { params: byId(chosen) });
        await again();
      };
      tell(t("views.deleted", { name: chosen.name }), { back });
    });
  const beginWith = (chosen: View | null) =>
    attempt(async () => {
      await api.PUT("/api/default-view", { body: { view_id: chosen?.view_id ?? null } });
      await again();
    });

  const entry = (one: View) => ({
    key: one.view_id,
    icon: one.shared ? <TeamOutlined /> : <UserOutlined />,
    label: (
      <>
        {one.name}
        {one.view_id === first && <PushpinFilled className={styles.pin} aria-label={t("views.first")} />}
      </>
    ),
  });
  const shared = views.filter((one) => one.shared);
  const own = views.filter((one) => !one.shared);
  const items = [
    { key: "all", label: t("views.all") },
    ...(shared.length > 0 ? [{ type: "group" as const, label: t("views.shared"), children: shared.map(entry) }] : []),
    ...(own.length > 0 ? [{ type: "group" as const, label: t("views.own"), children: own.map(entry) }] : []),
  ];
  const actions = view
    ? [
        ...(mayChange ? [{ key: "rename", icon: <EditOutlined />, label: t("views.rename") }] : []),
        view.view_id === first
          ? { key: "not_first", icon: <PushpinFilled />, label: t("views.not_first") }
          : { key: "first", icon: <PushpinOutlined />, label: t("views.make_first") },
        ...(mayChange ? [{ key: "remove", danger: true, label: t("views.delete") }] : []),
      ]
    : [];
  const act: Record<string, () => void> = {
    rename: () => {
      setNaming("rename");
    },
    first: () => void beginWith(view),
    not_first: () => void beginWith(null),
    remove: () => {
      if (view) void remove(view);
    },
  };

  return (
    <div className={styles.views}>
      <Dropdown
        trigger={["click"]}
        menu={{
          items,
          selectable: true,
          selectedKeys: [view?.view_id ?? "all"],
          onClick: ({ key }) => {
            const chosen = views.find((one) => one.view_id === key);
            show(chosen ? seenOfView(chosen, clock) : null);
          },
        }}
      >
        <Button
          icon={<DownOutlined />}
          iconPlacement="end"
          aria-label={`${t("views.choose")}: ${view?.name ?? t("views.all")}`}
        >
          {view?.name ?? t("views.all")}
        </Button>
      </Dropdown>
      {changed && <Tag color="warning">{t("views.changed")}</Tag>}
      {changed && view && mayChange && (
        <Button
          type="primary"
          loading={save.isPending}
          disabled={!shown.data}
          onClick={() => {
            if (shown.data) save.mutate(shown.data);
          }}
        >
          {t("shell:save")}
        </Button>
      )}
      {changed && view && (
        <Button
          onClick={() => {
            show(seenOfView(view, clock));
          }}
        >
          {t("views.back")}
        </Button>
      )}
      <Button
        type={changed && !mayChange ? "primary" : "default"}
        onClick={() => {
          setNaming("new");
        }}
      >
        {t("views.save_new")}
      </Button>
      {view && (
        <Dropdown
          trigger={["click"]}
          menu={{
            items: actions,
            onClick: ({ key }) => {
              act[key]?.();
            },
          }}
        >
          <Button aria-label={t("views.more")}>…</Button>
        </Dropdown>
      )}
      {naming && (
        <NameView
          seen={seen}
          view={naming === "rename" ? view : null}
          clock={clock}
          close={() => {
            setNaming(null);
          }}
          done={async (kept, tag) => {
            if (tag !== null) shown.goOn({ thing: kept, tag });
            await again();
            show({ ...seen, view: kept });
            tell(t("views.saved", { name: kept.name }));
          }}
        />
      )}
      {save.error && (
        <Refused
          error={save.error}
          newest={() => {
            save.reset();
            void again();
            shown.renew();
          }}
        />
      )}
    </div>
  );
}

function byId(view: View) {
  return { path: { view_id: view.view_id } };
}

interface NameProps {
  seen: Seen;
  /** Given where it gets another name. */
  view: View | null;
  clock: Clock;
  close: () => void;
  done: (kept: View, tag: string | null) => Promise<void>;
}

function NameView({ seen, view, clock, close, done }: NameProps) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const may = useMay();
  return (
    <EditDialog<View, { name: string; shared?: boolean }>
      title={view ? t("views.rename") : t("views.save_new")}
      about={view ? null : t("views.what")}
      of={view && ofView(view)}
      begin={(before) => ({ name: before?.name ?? "", shared: before?.shared ?? false })}
      save={async ({ name, shared = false }, before) => {
        const said = { name: name.trim(), shared };
        // Another name is all that changes; what is shown but not saved stays unsaved.
        const body = bodyOfView(before ? seenOfView(before.thing, clock) : seen, said, clock);
        if (!before) await done(await answer(api.POST("/api/views", { body })), null);
        else {
          const { thing, tag } = await put(before, body);
          await done(thing, tag);
        }
      }}
      close={close}
      height={100}
    >
      {() => (
        <>
          <Form.Item
            name="name"
            label={t("views.name")}
            rules={[{ required: true, whitespace: true, message: t("shell:required") }]}
          >
            <Input autoFocus maxLength={80} />
          </Form.Item>
          {may("settings.write") && (
            <Form.Item name="shared" valuePropName="checked">
              <Checkbox>{t("views.share")}</Checkbox>
            </Form.Item>
          )}
        </>
      )}
    </EditDialog>
  );
}
