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
import { Button, Checkbox, Dropdown, Input, Modal, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { useTelling } from "@/shell/undo";

import styles from "./CustomersPage.module.css";
import { bodyOfView, isChanged, seenOfView, type Clock, type Seen, type View } from "./viewing";

const VIEWS = ["views"];

export function useViews() {
  return useQuery({ queryKey: VIEWS, queryFn: () => answer(api.GET("/api/views")), staleTime: 300_000 });
}

interface Props {
  seen: Seen;
  views: readonly View[];
  first: string | null;
  clock: Clock;
  show: (seen: Seen | null) => void;
}

/** The view that is shown, the others to choose from, and what can be done with what is shown. */
export function Views({ seen, views, first, clock, show }: Props) {
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

  const save = (chosen: View) =>
    attempt(async () => {
      const kept = await answer(
        api.PUT("/api/views/{view_id}", { params: byId(chosen), body: bodyOfView(seen, chosen, clock) }),
      );
      await again();
      show(seenOfView(kept, clock));
      tell(t("views.saved", { name: kept.name }));
    });
  const remove = (chosen: View) =>
    attempt(async () => {
      await api.DELETE("/api/views/{view_id}", { params: byId(chosen) });
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
        <Button type="primary" onClick={() => void save(view)}>
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
          done={async (kept) => {
            await again();
            show({ ...seen, view: kept });
            setNaming(null);
            tell(t("views.saved", { name: kept.name }));
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
  done: (kept: View) => Promise<void>;
}

function NameView({ seen, view, clock, close, done }: NameProps) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const may = useMay();
  const [name, setName] = useState(view?.name ?? "");
  const [shared, setShared] = useState(view?.shared ?? false);
  const save = useMutation({
    mutationFn: () => {
      const said = { name: name.trim(), shared };
      if (!view) return answer(api.POST("/api/views", { body: bodyOfView(seen, said, clock) }));
      // Another name is all that changes; what is shown but not saved stays unsaved.
      const body = bodyOfView(seenOfView(view, clock), said, clock);
      return answer(api.PUT("/api/views/{view_id}", { params: byId(view), body }));
    },
    onSuccess: done,
  });
  const go = () => {
    if (name.trim()) save.mutate();
  };
  return (
    <Modal
      open
      title={view ? t("views.rename") : t("views.save_new")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: !name.trim(), loading: save.isPending }}
      onOk={go}
      onCancel={close}
    >
      {!view && <p>{t("views.what")}</p>}
      <Input
        autoFocus
        aria-label={t("views.name")}
        placeholder={t("views.name")}
        maxLength={80}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
        onPressEnter={go}
      />
      {may("settings.write") && (
        <p>
          <Checkbox
            checked={shared}
            onChange={(event) => {
              setShared(event.target.checked);
            }}
          >
            {t("views.share")}
          </Checkbox>
        </p>
      )}
      {save.error && <Refused error={save.error} />}
    </Modal>
  );
}
