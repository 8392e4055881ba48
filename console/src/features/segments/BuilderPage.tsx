/** Say whom a segment means: in sentences, with who that is beside them. */
import { useMutation, type UseQueryResult } from "@tanstack/react-query";
import { Button, Input, Modal } from "antd";
import { useId, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useBeforeUnload, useBlocker, useLocation, useNavigate, useParams, useSearchParams } from "react-router";

import { useLater } from "@/base/useLater";
import { useOverview } from "@/features/lifecycle/queries";
import { wantedOf } from "@/features/lifecycle/wanted";
import { answer, api, Problem } from "@/platform/client";
import { meaning, tagged, useEdited, type Tagged } from "@/platform/editing";
import { Answer, Refused, Waiting } from "@/shell/Answer";
import { LinkButton } from "@/shell/LinkButton";
import { Page, Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";
import { useJob } from "@/shell/useJob";

import styles from "./Builder.module.css";
import { keptOf, type LeftOut } from "./drafts";
import { groupsOf } from "./groups";
import { PreviewPanel } from "./PreviewPanel";
import {
  definitionIn,
  reading,
  useAgain,
  usePreview,
  useTemplates,
  useVocabulary,
  type Segment,
  type Vocabulary,
} from "./queries";
import { SpeakingContext } from "./speaking";
import { isWhole } from "./statements";
import { Tree, type Wrong } from "./Tree";
import {
  canonical,
  definitionOf,
  draftOf,
  EVERYBODY,
  isGroup,
  partAt,
  partsOf,
  pathOfPlace,
  type Group,
  type GroupDraft,
  type Node,
} from "./tree";
import { useWording } from "./wording";

/** As often as that while somebody chooses and types. */
const PREVIEW_AFTER_MS = 300;

export function BuilderPage() {
  const { segment } = useParams();
  return segment ? <ChangePage id={segment} /> : <NewPage />;
}

function ChangePage({ id }: { id: string }) {
  const { t } = useTranslation("segments");
  const edited = useEdited(reading(id));
  const name = edited.data?.thing.name;
  return (
    <Page title={name === undefined ? t("list.title") : t("builder.change", { name })}>
      <Answer of={edited} height={480}>
        {(before) => (
          <Editing
            key={before.tag}
            before={before}
            begin={{ name: before.thing.name, definition: definitionIn(before.thing), left: [] }}
            renew={edited.renew}
          />
        )}
      </Answer>
    </Page>
  );
}

interface Begin {
  name: string;
  definition: Node;
  left: readonly LeftOut[];
}

/** From nothing, from a template, from a list that somebody made, from a group that was found, from what another page
 * says, or from the conditions of the list of customers. */
function NewPage() {
  const { t } = useTranslation("segments");
  const said = useLocation().state as { definition?: Node } | null;
  const [address] = useSearchParams();
  const template = address.get("template");
  const list = address.get("list");
  const from = address.get("from");
  const found = address.get("found");
  const job = useJob(found);
  const templates = useTemplates(template !== null);
  const begin = useMemo((): Begin | null => {
    if (template !== null) {
      if (!templates.data) return null;
      const found = templates.data.items.find((one) => one.code === template);
      return { name: found?.name ?? "", definition: found ? definitionIn(found) : EVERYBODY, left: [] };
    }
    if (found !== null) {
      if (!job.data) return null;
      const group = groupsOf(job.data)?.clusters[Number(address.get("group"))];
      return { name: group?.name ?? "", definition: group?.definition ?? EVERYBODY, left: [] };
    }
    if (list !== null) return { name: "", definition: { node: "list", list_id: list }, left: [] };
    if (from === null) return { name: "", definition: said?.definition ?? EVERYBODY, left: [] };
    return { name: "", ...keptOf(wantedOf(new URLSearchParams(from)), address.get("searched") === "yes") };
  }, [address, said, from, list, found, job.data, template, templates.data]);
  const awaited: Pick<UseQueryResult, "data" | "error" | "refetch"> = found === null ? templates : job;
  return (
    <Page title={t("builder.new")}>
      {begin ? (
        <Editing key={address.toString()} before={null} begin={begin} />
      ) : (
        <Answer of={awaited} height={480}>
          {() => <Waiting height={480} />}
        </Answer>
      )}
    </Page>
  );
}

interface EditingProps {
  before: Tagged<Segment> | null;
  begin: Begin;
  renew?: () => void;
}

function Editing(props: EditingProps) {
  const vocabulary = useVocabulary();
  // What is missing of it is only how money is written.
  const overview = useOverview();
  if (!overview.data && !overview.error) return <Waiting height={480} />;
  return (
    <Answer of={vocabulary} height={480}>
      {(words) => <Builder {...props} words={words} currency={overview.data?.refresh?.currency ?? null} />}
    </Answer>
  );
}

function Builder({
  before,
  begin,
  renew,
  words,
  currency,
}: EditingProps & { words: Vocabulary; currency: string | null }) {
  const { t } = useTranslation(["segments", "shell"]);
  const id = useId();
  const go = useNavigate();
  const tell = useTelling();
  const again = useAgain();
  const wording = useWording(words, currency);
  const speaking = useMemo(() => ({ words, wording, currency }), [words, wording, currency]);
  const [name, setName] = useState(begin.name);
  const [root, setRoot] = useState<GroupDraft>(() => draftOf(begin.definition));
  const [saved, setSaved] = useState(false);
  const definition = useMemo(() => definitionOf(root), [root]);
  const unfinished = partsOf(root).filter((one) => !isGroup(one) && !isWhole(one.says)).length;
  const written = canonical(definition);
  const settled = useLater(written, PREVIEW_AFTER_MS);
  const behind = settled !== written;
  const counted = useMemo(() => JSON.parse(settled) as Group, [settled]);
  const preview = usePreview(counted, unfinished === 0 && !behind);
  const changed = name !== begin.name || written !== canonical(definitionOf(draftOf(begin.definition)));

  const save = useMutation({
    mutationFn: async () => {
      const body = { name: name.trim(), definition };
      const made = before
        ? await tagged(
            api.PUT("/api/segments/{segment_id}", {
              params: { path: { segment_id: before.thing.segment_id }, header: meaning(before.tag) },
              body,
            }),
          )
        : { thing: await answer(api.POST("/api/segments", { body })) };
      const path = { segment_id: made.thing.segment_id };
      // Nobody waits for the next round of all.
      const { job_id: job } = await answer(api.POST("/api/segments/{segment_id}/build", { params: { path } }));
      return { segment: made.thing, job };
    },
    onSuccess: ({ segment, job }) => {
      setSaved(true);
      void again();
      tell(t("builder.saved", { name: segment.name }));
      void go(`/segments/${segment.segment_id}?job=${job}`);
    },
  });
  const leaving = changed && !saved && !save.isPending;
  useBeforeUnload((event) => {
    if (leaving) event.preventDefault();
  });
  const wrong = wrongIn(root, counted, behind || unfinished > 0 ? null : (save.error ?? preview.error));
  const change = (next: (root: GroupDraft) => GroupDraft) => {
    save.reset();
    setRoot(next);
  };
  return (
    <SpeakingContext value={speaking}>
      <Staying when={leaving} />
      {begin.left.length > 0 && <Left left={begin.left} />}
      <div className={styles.name}>
        <label htmlFor={id}>{t("builder.name")}</label>
        <Input
          id={id}
          maxLength={100}
          placeholder={t("builder.name_how")}
          value={name}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </div>
      <div className={styles.columns}>
        <Panel title={t("builder.whom")} about={t("builder.whom_about")}>
          <Tree root={root} change={change} wrong={wrong} />
        </Panel>
        <div className={styles.beside}>
          <Panel>
            <div className={styles.tools}>
              <Button
                type="primary"
                disabled={name.trim() === "" || unfinished > 0 || (before !== null && !changed)}
                loading={save.isPending}
                onClick={() => {
                  save.mutate();
                }}
              >
                {t("builder.save")}
              </Button>
              <LinkButton to={before ? `/segments/${before.thing.segment_id}` : "/segments"}>
                {t("shell:cancel")}
              </LinkButton>
            </div>
            {save.error && <Refused error={save.error} {...(renew ? { newest: renew } : {})} />}
          </Panel>
          <PreviewPanel
            of={preview}
            definition={definition}
            currency={currency}
            unfinished={unfinished}
            told={wrong !== null}
            behind={behind}
          />
        </div>
      </div>
    </SpeakingContext>
  );
}

/** What a refusal says of a part, without the place, which is where it is shown. */
function wrongIn(root: GroupDraft, definition: Group, error: unknown): Wrong | null {
  if (!(error instanceof Problem) || error.place === null) return null;
  const part = partAt(root, pathOfPlace(definition, error.place));
  const why = error.detail.startsWith(error.place)
    ? error.detail.slice(error.place.length).replace(/^[:：]\s*/, "")
    : error.detail;
  return part && { key: part.key, why };
}

function Left({ left }: { left: readonly LeftOut[] }) {
  const { t } = useTranslation("segments");
  return (
    <div className={styles.left} role="note">
      <strong>{t("builder.left")}</strong>
      <div>{t("builder.left_why")}</div>
      <ul>
        {left.map((one) => (
          <li key={one}>{t(`builder.left_out.${one}`)}</li>
        ))}
      </ul>
    </div>
  );
}

/** Asks before a draft is left that was not saved. */
function Staying({ when }: { when: boolean }) {
  const { t } = useTranslation("segments");
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => when && currentLocation.pathname !== nextLocation.pathname,
  );
  return (
    <Modal
      open={blocker.state === "blocked"}
      title={t("builder.leave")}
      okText={t("builder.leave_do")}
      cancelText={t("builder.stay")}
      okButtonProps={{ danger: true }}
      onOk={() => blocker.proceed?.()}
      onCancel={() => blocker.reset?.()}
    >
      {t("builder.leave_what")}
    </Modal>
  );
}
