/** The names that the outside world has for a customer, and the merges that brought them together. */
import { MergeCellsOutlined, PlusOutlined } from "@ant-design/icons";
import { App, Button, Input, Modal, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useNames, useSaying } from "@/base/useSaying";
import { Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import styles from "./Customer.module.css";
import { findCustomer, useAddIdentity, useMerge, useMerges, useUndoMerge, type Identity, type Merge } from "./queries";

const KINDS = ["phone", "email", "member_number", "user_id", "unionid", "external_userid", "openid"];

interface Props {
  customer: string;
  identities: readonly Identity[];
  /** Whether identities may be added here, and customers merged. */
  writes: boolean;
  merges: boolean;
}

export function Identities({ customer, identities, writes, merges: mayMerge }: Props) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  const say = useSaying();
  const [asking, setAsking] = useState<"add" | "merge" | null>(null);
  const merges = useMerges(customer);
  const standing = merges.data?.filter((one) => one.undone_at === null) ?? [];

  return (
    <Panel
      title={t("identities.title")}
      actions={
        <span className={styles.row}>
          {writes && (
            <Button
              size="small"
              icon={<PlusOutlined />}
              onClick={() => {
                setAsking("add");
              }}
            >
              {t("identities.add")}
            </Button>
          )}
          {mayMerge && (
            <Button
              size="small"
              icon={<MergeCellsOutlined />}
              onClick={() => {
                setAsking("merge");
              }}
            >
              {t("merges.begin")}
            </Button>
          )}
        </span>
      }
    >
      <ul className={styles.list}>
        {identities.map((one) => (
          <li key={one.identity_id}>
            <span className={styles.kind}>{names("identities", one.kind)}</span>
            <span className={styles.value}>{one.value ?? t("identities.hidden")}</span>
            <small>{t("identities.seen", { ago: say.ago(one.last_seen_at) })}</small>
          </li>
        ))}
      </ul>
      {standing.length > 0 && (
        <>
          <h3 className={styles.sub}>{t("merges.title")}</h3>
          <ul className={styles.list}>
            {standing.map((one) => (
              <Merged key={one.merge_id} customer={customer} merge={one} undoes={mayMerge} />
            ))}
          </ul>
        </>
      )}
      {asking === "add" && (
        <AddIdentity
          customer={customer}
          close={() => {
            setAsking(null);
          }}
        />
      )}
      {asking === "merge" && (
        <BeginMerge
          customer={customer}
          close={() => {
            setAsking(null);
          }}
        />
      )}
    </Panel>
  );
}

function Merged({ customer, merge, undoes }: { customer: string; merge: Merge; undoes: boolean }) {
  const { t } = useTranslation("profiles");
  const say = useSaying();
  const { modal } = App.useApp();
  const { attempt } = useDoing();
  const undo = useUndoMerge(customer);
  const ask = () => {
    void modal.confirm({
      title: t("merges.undo_title"),
      content: t("merges.undo_what", { count: merge.identity_ids.length }),
      okText: t("merges.undo"),
      onOk: () => attempt(() => undo.mutateAsync(merge.merge_id)),
    });
  };
  return (
    <li>
      <span className={styles.kind}>{say.day(merge.merged_at)}</span>
      <span className={styles.value}>{t("merges.of", { count: merge.identity_ids.length })}</span>
      {undoes && (
        <Button size="small" onClick={ask} loading={undo.isPending}>
          {t("merges.undo")}
        </Button>
      )}
    </li>
  );
}

interface AskProps {
  customer: string;
  close: () => void;
}

function AddIdentity({ customer, close }: AskProps) {
  const { t } = useTranslation(["profiles", "shell"]);
  const add = useAddIdentity(customer);
  const [given, setGiven] = useState({ kind: "phone", value: "" });
  const save = () => {
    add.mutate(given, { onSuccess: close });
  };
  return (
    <Modal
      open
      title={t("identities.add")}
      okText={t("shell:add")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: !given.value.trim(), loading: add.isPending }}
      onOk={save}
      onCancel={close}
    >
      <p>{t("identities.add_what")}</p>
      <IdentityFields given={given} change={setGiven} enter={save} />
      {add.error && <Refused error={add.error} />}
    </Modal>
  );
}

function BeginMerge({ customer, close }: AskProps) {
  const { t } = useTranslation(["profiles", "shell"]);
  const [given, setGiven] = useState({ kind: "phone", value: "" });
  const [other, setOther] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const merge = useMerge(customer);
  const undo = useUndoMerge(customer);
  const tell = useTelling();

  const find = async () => {
    setError(null);
    try {
      setOther((await findCustomer(given.kind, given.value)).customer_id);
    } catch (refused) {
      setError(refused);
    }
  };
  const same = other === customer;
  return (
    <Modal
      open
      title={t("merges.begin")}
      okText={other ? t("merges.do") : t("merges.find")}
      cancelText={t("shell:cancel")}
      okButtonProps={{ disabled: !given.value.trim() || same, loading: merge.isPending }}
      onOk={() => {
        if (other) {
          merge.mutate(other, {
            onSuccess: (made) => {
              close();
              tell(t("merges.done"), { back: () => undo.mutateAsync(made.merge_id) });
            },
          });
        } else void find();
      }}
      onCancel={close}
    >
      <p>{t("merges.what")}</p>
      <IdentityFields
        given={given}
        change={(next) => {
          setOther(null);
          setGiven(next);
        }}
        enter={() => void find()}
      />
      {same && <p role="status">{t("merges.same")}</p>}
      {other && !same && (
        <p role="status">
          {t("merges.found")}{" "}
          <Link to={`/customers/${other}`} target="_blank">
            {t("merges.look")}
          </Link>
        </p>
      )}
      {Boolean(error ?? merge.error) && <Refused error={error ?? merge.error} />}
    </Modal>
  );
}

interface FieldsProps {
  given: { kind: string; value: string };
  change: (given: { kind: string; value: string }) => void;
  enter: () => void;
}

function IdentityFields({ given, change, enter }: FieldsProps) {
  const { t } = useTranslation("profiles");
  const names = useNames();
  return (
    <div className={styles.fields}>
      <Select
        aria-label={t("identities.kind")}
        value={given.kind}
        options={KINDS.map((kind) => ({ value: kind, label: names("identities", kind) }))}
        onChange={(kind) => {
          change({ ...given, kind });
        }}
      />
      <Input
        autoFocus
        aria-label={t("identities.value")}
        placeholder={t("identities.value")}
        maxLength={500}
        value={given.value}
        onChange={(event) => {
          change({ ...given, value: event.target.value });
        }}
        onPressEnter={enter}
      />
    </div>
  );
}
