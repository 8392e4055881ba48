/** Lists of customers whom somebody named: pasted or from a file, to be meant by segments. */
import { DeleteOutlined, DownloadOutlined, PlusOutlined, UploadOutlined } from "@ant-design/icons";
import { useMutation } from "@tanstack/react-query";
import { App, Button, Form, Input, Modal, Upload } from "antd";
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";

import { csvOf } from "@/base/csv";
import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { Answer, Empty, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";
import { Unseen } from "@/shell/Unseen";

import { GIVEN_MAX, givenIn } from "./lists";
import { useAgain, useLists, type List, type ListMade } from "./queries";
import styles from "./Segments.module.css";

export function ListsPage() {
  const { t } = useTranslation("segments");
  const may = useMay();
  const lists = useLists();
  const [making, setMaking] = useState(false);
  const make = may("segments.write") && (
    <Button
      type="primary"
      icon={<PlusOutlined />}
      onClick={() => {
        setMaking(true);
      }}
    >
      {t("lists.make")}
    </Button>
  );
  return (
    <Page
      title={t("lists.title")}
      about={t("lists.about")}
      actions={
        <>
          <LinkButton to="/segments">{t("list.title")}</LinkButton>
          {make}
        </>
      }
    >
      {making && (
        <MakeList
          close={() => {
            setMaking(false);
          }}
        />
      )}
      <Answer of={lists} height={320}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title={t("lists.none")} action={make}>
              {t("lists.none_how")}
            </Empty>
          ) : (
            <Panel>
              <Lists lists={items} writes={may("segments.write")} />
            </Panel>
          )
        }
      </Answer>
    </Page>
  );
}

function Lists({ lists, writes }: { lists: List[]; writes: boolean }) {
  const { t } = useTranslation(["segments", "shell"]);
  const say = useSaying();
  return (
    <Grid<List>
      label={t("lists.title")}
      rowKey="list_id"
      size="middle"
      dataSource={lists}
      columns={[
        { title: t("lists.name"), render: (_, one) => one.name },
        {
          title: t("lists.customers"),
          align: "right",
          className: "numbers",
          render: (_, one) => say.number(one.customers),
        },
        { title: t("lists.made_by"), render: (_, one) => one.made_by },
        { title: t("lists.made_at"), render: (_, one) => say.moment(one.made_at) },
        ...(writes
          ? [
              {
                title: <Unseen>{t("shell:actions")}</Unseen>,
                render: (_: unknown, one: List) => <Actions list={one} />,
              },
            ]
          : []),
      ]}
    />
  );
}

/** What a segment names stays; the refusal says which. */
function Actions({ list }: { list: List }) {
  const { t } = useTranslation(["segments", "shell"]);
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const tell = useTelling();
  const again = useAgain();
  const { list_id, name } = list;
  const remove = async () => {
    await api.DELETE("/api/segments/lists/{list_id}", { params: { path: { list_id } } });
    tell(t("lists.removed", { name }));
    await again();
  };
  return (
    <span className={styles.buttons}>
      <LinkButton size="small" to={`/segments/new?list=${list_id}`} aria-label={t("lists.use_one", { name })}>
        {t("lists.use")}
      </LinkButton>
      <Button
        size="small"
        type="text"
        danger
        icon={<DeleteOutlined />}
        aria-label={t("lists.remove_one", { name })}
        onClick={() => {
          void modal.confirm({
            title: t("lists.remove_title", { name }),
            content: t("lists.remove_what"),
            okText: t("lists.remove"),
            okButtonProps: { danger: true },
            cancelText: t("shell:cancel"),
            onOk: () => attempt(remove),
          });
        }}
      />
    </span>
  );
}

function MakeList({ close }: { close: () => void }) {
  const { t } = useTranslation(["segments", "shell"]);
  const say = useSaying();
  const id = useId();
  const again = useAgain();
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const given = givenIn(text);
  const make = useMutation({
    mutationFn: () => answer(api.POST("/api/segments/lists", { body: { name: name.trim(), customers: given } })),
    onSuccess: () => again(),
  });
  if (make.data) return <Made list={make.data} close={close} />;
  const most = say.number(GIVEN_MAX);
  const tooMany = given.length > GIVEN_MAX;
  return (
    <Modal
      open
      title={t("lists.make")}
      okText={t("shell:save")}
      cancelText={t("shell:cancel")}
      okButtonProps={{
        htmlType: "submit",
        form: id,
        loading: make.isPending,
        disabled: name.trim() === "" || given.length === 0 || tooMany,
      }}
      onCancel={close}
    >
      <Form
        id={id}
        layout="vertical"
        requiredMark={false}
        onFinish={() => {
          make.mutate();
        }}
      >
        <Form.Item label={t("lists.name")} htmlFor={`${id}-name`}>
          <Input
            id={`${id}-name`}
            autoFocus
            maxLength={100}
            value={name}
            onChange={(event) => {
              setName(event.target.value);
            }}
          />
        </Form.Item>
        <Form.Item
          label={t("lists.given")}
          htmlFor={`${id}-given`}
          extra={t("lists.given_how", { most })}
          {...(tooMany ? { validateStatus: "error" as const, help: t("lists.too_many", { most }) } : {})}
        >
          <Input.TextArea
            id={`${id}-given`}
            rows={8}
            value={text}
            onChange={(event) => {
              setText(event.target.value);
            }}
          />
        </Form.Item>
        <div className={styles.buttons}>
          <Upload
            accept=".txt,.csv"
            showUploadList={false}
            beforeUpload={(file) => {
              void file.text().then(setText);
              // Nothing is sent before it was seen.
              return false;
            }}
          >
            <Button icon={<UploadOutlined />}>{t("lists.file")}</Button>
          </Upload>
          <span className={styles.small} role="status">
            {t("lists.said", { count: given.length, number: say.number(given.length) })} · {t("lists.file_how")}
          </span>
        </div>
      </Form>
      {make.error && <Refused error={make.error} />}
    </Modal>
  );
}

/** Who is on it, and which lines are nobody. */
function Made({ list, close }: { list: ListMade; close: () => void }) {
  const { t } = useTranslation(["segments", "shell"]);
  const say = useSaying();
  const unknown = list.unknown;
  return (
    <Modal
      open
      title={t("lists.made", { name: list.name, number: say.number(list.customers) })}
      footer={
        <div className={styles.buttons}>
          <LinkButton type="primary" to={`/segments/new?list=${list.list_id}`}>
            {t("lists.use")}
          </LinkButton>
          <Button onClick={close}>{t("shell:close")}</Button>
        </div>
      }
      onCancel={close}
    >
      {unknown.length > 0 && (
        <>
          <p>
            <strong>{t("lists.unknown", { count: unknown.length, number: say.number(unknown.length) })}</strong>{" "}
            {t("lists.unknown_why")}
          </p>
          <ul className={styles.unknown}>
            {unknown.slice(0, SHOWN).map((one) => (
              <li key={one}>{one}</li>
            ))}
            {unknown.length > SHOWN && <li>…</li>}
          </ul>
          <Button
            icon={<DownloadOutlined />}
            onClick={() => {
              download(unknown);
            }}
          >
            {t("lists.download")}
          </Button>
        </>
      )}
    </Modal>
  );
}

const SHOWN = 10;

function download(lines: readonly string[]): void {
  const address = URL.createObjectURL(
    new Blob([csvOf(lines.map((line) => [line]))], { type: "text/csv;charset=utf-8" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = "unknown.csv";
  link.click();
  URL.revokeObjectURL(address);
}
