/** What the stages are called and what decides, with whom it would put where while it is edited. */
import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Input, InputNumber, Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useLater } from "@/base/useLater";
import { useNames, useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { answer, api } from "@/platform/client";
import { meaning, tagged, useEdited, type Tagged } from "@/platform/editing";
import { Answer, Refused } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Grid } from "@/shell/Grid";
import { Page, Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import { Stage } from "./Stage";
import {
  draftOf,
  LIMITS,
  STAGE_NAMES,
  stagesOf,
  type Draft,
  type Row,
  type RuleDraft,
  type Stages,
  type StagesAnswer,
} from "./stages";
import styles from "./StagesPage.module.css";
import { moved } from "./viewing";

/** As often as that while somebody types. */
const PREVIEW_AFTER_MS = 300;

const OF_STAGES = { name: ["stages"], read: () => tagged(api.GET("/api/settings/stages")) };

export function StagesPage() {
  const { t } = useTranslation("lifecycle");
  const stages = useEdited(OF_STAGES);
  return (
    <Page title={t("stages.title")} about={t("stages.about")}>
      <Answer of={stages} height={640}>
        {(found) => <EditStages key={found.tag} before={found} goOn={stages.goOn} renew={stages.renew} />}
      </Answer>
    </Page>
  );
}

interface EditStagesProps {
  before: Tagged<StagesAnswer>;
  goOn: (made: Tagged<StagesAnswer>) => void;
  renew: () => void;
}

function EditStages({ before, goOn, renew }: EditStagesProps) {
  const found = before.thing;
  const { t } = useTranslation(["lifecycle", "shell"]);
  const may = useMay();
  const tell = useTelling();
  const { attempt } = useDoing();
  const queries = useQueryClient();
  const writes = may("settings.write");
  const [draft, setDraft] = useState<Draft>(() => draftOf(found));
  const body = useMemo(() => stagesOf(draft), [draft]);
  const changed = JSON.stringify(body) !== JSON.stringify(stagesOf(draftOf(found)));
  const put = async (next: Stages, tag: string) => {
    const made = await tagged(api.PUT("/api/settings/stages", { params: { header: meaning(tag) }, body: next }));
    goOn(made);
    await queries.invalidateQueries({ queryKey: STAGE_NAMES });
    return made;
  };
  const save = useMutation({
    mutationFn: () => put(body, before.tag),
    onSuccess: ({ tag }) => {
      const { stages, rules, usual_gap_days } = found;
      tell(t("stages.saved"), { back: () => put({ stages, rules, usual_gap_days: usual_gap_days ?? null }, tag) });
    },
  });
  const take = (version: number) =>
    attempt(async () => {
      const params = { path: { version } };
      setDraft(draftOf(await answer(api.GET("/api/settings/stages/{version}", { params }))));
    });
  const fields = found.fields.filter((one) => one.kind !== "events").map((one) => one.field);

  return (
    <div className={styles.columns}>
      <div>
        <Panel title={t("stages.names")} about={t("stages.names_about")}>
          <Named draft={draft} writes={writes} change={setDraft} />
        </Panel>
        <Panel title={t("stages.rules")} about={t("stages.rules_about")}>
          <Rules draft={draft} fields={fields} writes={writes} change={setDraft} />
          <label className={styles.gap}>
            {t("stages.usual_gap")}
            <InputNumber
              min={0.1}
              max={10_000}
              disabled={!writes}
              placeholder={t("stages.usual_gap_default")}
              value={draft.usual_gap_days}
              onChange={(usual_gap_days) => {
                setDraft({ ...draft, usual_gap_days });
              }}
            />
          </label>
        </Panel>
      </div>
      <div className={styles.beside}>
        <Panel
          title={t("stages.preview")}
          actions={
            writes && (
              <span className={styles.row}>
                {changed && (
                  <Button
                    onClick={() => {
                      setDraft(draftOf(found));
                    }}
                  >
                    {t("views.back")}
                  </Button>
                )}
                <Button
                  type="primary"
                  disabled={!changed}
                  loading={save.isPending}
                  onClick={() => {
                    save.mutate();
                  }}
                >
                  {t("shell:save")}
                </Button>
              </span>
            )
          }
        >
          <Preview body={body} />
          {save.error && <Refused error={save.error} newest={renew} />}
        </Panel>
        <Versions found={found} take={(version) => void take(version)} />
      </div>
    </div>
  );
}

function Preview({ body }: { body: Stages }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  const settled = useLater(JSON.stringify(body), PREVIEW_AFTER_MS);
  const preview = useQuery({
    queryKey: ["stages", "preview", settled],
    queryFn: ({ signal }) =>
      answer(api.POST("/api/settings/stages/preview", { body: JSON.parse(settled) as Stages, signal })),
    placeholderData: keepPreviousData,
  });
  if (preview.error) return <Refused error={preview.error} />;
  const sign = (difference: number) => (difference > 0 ? `+${say.number(difference)}` : say.number(difference));
  return (
    <Answer of={preview} height={300}>
      {({ items, as_of: asOf }) => (
        <div className={preview.isPlaceholderData ? styles.stale : undefined}>
          <Grid
            label={t("stages.preview")}
            rowKey="stage"
            size="small"
            dataSource={items}
            columns={[
              { title: t("columns.stage"), render: (_, one) => <Stage stage={one.stage} /> },
              { title: t("stages.now"), align: "right", render: (_, one) => say.number(one.customers) },
              {
                title: t("stages.would_be"),
                align: "right",
                render: (_, one) => (
                  <>
                    {say.number(one.would_be)}
                    {one.would_be !== one.customers && (
                      <small className={styles.difference}>{sign(one.would_be - one.customers)}</small>
                    )}
                  </>
                ),
              },
            ]}
          />
          <p className={styles.small}>
            {asOf ? t("stages.as_of", { day: say.day(asOf) }) : t("overview.not_refreshed")}
          </p>
        </div>
      )}
    </Answer>
  );
}

interface EditProps {
  draft: Draft;
  writes: boolean;
  change: (draft: Draft) => void;
}

function Named({ draft, writes, change }: EditProps) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  return (
    <ul className={styles.names}>
      {draft.stages.map((stage, at) => (
        <li key={stage.code}>
          <Stage stage={stage.code} />
          {(["zh-CN", "en"] as const).map((language) => (
            <Input
              key={language}
              disabled={!writes}
              maxLength={50}
              aria-label={t("stages.name_of", {
                stage: names("stages", stage.code),
                language: t(`stages.in.${language}`),
              })}
              placeholder={t(`stages.in.${language}`)}
              value={stage.name[language] ?? ""}
              onChange={(event) => {
                const stages = [...draft.stages];
                stages[at] = { ...stage, name: { ...stage.name, [language]: event.target.value } };
                change({ ...draft, stages });
              }}
            />
          ))}
        </li>
      ))}
    </ul>
  );
}

function Rules({ draft, fields, writes, change }: EditProps & { fields: readonly string[] }) {
  const { t } = useTranslation(["lifecycle", "shell"]);
  const names = useNames();
  const set = (rules: RuleDraft[]) => {
    change({ ...draft, rules });
  };
  const replace = (at: number, rule: RuleDraft) => {
    set(draft.rules.map((one, number) => (number === at ? rule : one)));
  };
  const add = () => {
    const key = Math.max(...draft.rules.map((one) => one.key), 0) + 1;
    const made = {
      key,
      stage: "loyal",
      when: [{ field: "orders", limit: "at_least", value: null } as Row],
      otherwise: null,
    };
    // Before the last, which takes everyone else.
    set([...draft.rules.slice(0, -1), made, ...draft.rules.slice(-1)]);
  };
  return (
    <>
      <ol className={styles.rules}>
        {draft.rules.map((rule, at) => (
          <li key={rule.key}>
            <div className={styles.row}>
              <Select
                disabled={!writes}
                aria-label={t("stages.stage_of", { number: at + 1 })}
                popupMatchSelectWidth={false}
                value={rule.stage}
                options={draft.stages.map((one) => ({ value: one.code, label: names("stages", one.code) }))}
                onChange={(stage) => {
                  replace(at, { ...rule, stage });
                }}
              />
              <span className={styles.small}>{t(rule.when.length > 0 ? "stages.when" : "stages.everyone")}</span>
              {writes && (
                <span className={styles.tools}>
                  <Button
                    type="text"
                    size="small"
                    icon={<ArrowUpOutlined />}
                    aria-label={t("stages.up", { number: at + 1 })}
                    disabled={at === 0}
                    onClick={() => {
                      set(moved(draft.rules, at, at - 1));
                    }}
                  />
                  <Button
                    type="text"
                    size="small"
                    icon={<ArrowDownOutlined />}
                    aria-label={t("stages.down", { number: at + 1 })}
                    disabled={at === draft.rules.length - 1}
                    onClick={() => {
                      set(moved(draft.rules, at, at + 1));
                    }}
                  />
                  <Button
                    type="text"
                    size="small"
                    danger
                    icon={<DeleteOutlined />}
                    aria-label={t("stages.remove_rule", { number: at + 1 })}
                    onClick={() => {
                      set(draft.rules.filter((one) => one !== rule));
                    }}
                  />
                </span>
              )}
            </div>
            <Conditions
              number={at + 1}
              rows={rule.when}
              fields={fields}
              writes={writes}
              change={(when) => {
                replace(at, { ...rule, when });
              }}
            />
            {rule.otherwise ? (
              <>
                <span className={styles.small}>{t("stages.otherwise")}</span>
                <Conditions
                  number={at + 1}
                  rows={rule.otherwise}
                  fields={fields}
                  writes={writes}
                  change={(otherwise) => {
                    replace(at, { ...rule, otherwise: otherwise.length > 0 ? otherwise : null });
                  }}
                />
              </>
            ) : (
              writes &&
              rule.when.length > 0 && (
                <Button
                  type="link"
                  size="small"
                  onClick={() => {
                    replace(at, { ...rule, otherwise: [{ field: "silence", limit: "at_least", value: null }] });
                  }}
                >
                  {t("stages.add_otherwise")}
                </Button>
              )
            )}
          </li>
        ))}
      </ol>
      {writes && (
        <Button type="dashed" icon={<PlusOutlined />} onClick={add}>
          {t("stages.add_rule")}
        </Button>
      )}
    </>
  );
}

interface ConditionsProps {
  number: number;
  rows: readonly Row[];
  fields: readonly string[];
  writes: boolean;
  change: (rows: Row[]) => void;
}

function Conditions({ number, rows, fields, writes, change }: ConditionsProps) {
  const { t } = useTranslation("lifecycle");
  const names = useNames();
  const known = (field: string) => ({ value: field, label: names("stage_fields", field) });
  const replace = (at: number, row: Row) => {
    change(rows.map((one, place) => (place === at ? row : one)));
  };
  return (
    <ul className={styles.conditions}>
      {rows.map((row, at) => {
        const said = { number, field: names("stage_fields", row.field) };
        const options = fields.includes(row.field) ? fields : [...fields, row.field];
        return (
          <li key={at}>
            <Select
              disabled={!writes}
              showSearch={{ optionFilterProp: "label" }}
              popupMatchSelectWidth={false}
              aria-label={t("stages.field_of", said)}
              value={row.field}
              options={options.map(known)}
              onChange={(field) => {
                replace(at, { ...row, field });
              }}
            />
            <Select
              disabled={!writes}
              aria-label={t("stages.limit_of", said)}
              value={row.limit}
              options={LIMITS.map((limit) => ({ value: limit, label: t(`stages.limits.${limit}`) }))}
              onChange={(limit) => {
                replace(at, { ...row, limit });
              }}
            />
            <InputNumber
              disabled={!writes}
              aria-label={t("stages.value_of", said)}
              value={row.value}
              onChange={(value) => {
                replace(at, { ...row, value });
              }}
            />
            {writes && (
              <Button
                type="text"
                size="small"
                icon={<DeleteOutlined />}
                aria-label={t("stages.remove_condition", said)}
                onClick={() => {
                  change(rows.filter((one) => one !== row));
                }}
              />
            )}
          </li>
        );
      })}
      {writes && (
        <li>
          <Button
            type="link"
            size="small"
            icon={<PlusOutlined />}
            onClick={() => {
              change([...rows, { field: "recency_days", limit: "at_least", value: null }]);
            }}
          >
            {t("stages.add_condition")}
          </Button>
        </li>
      )}
    </ul>
  );
}

function Versions({ found, take }: { found: StagesAnswer; take: (version: number) => void }) {
  const { t } = useTranslation("lifecycle");
  const say = useSaying();
  return (
    <Panel title={t("stages.versions")} about={t("stages.versions_about")}>
      <ul className={styles.versions}>
        {found.versions.map((one) => (
          <li key={one.version}>
            <span>
              {t("stages.version", { number: one.version })} · {one.made_by}
              <small>{say.moment(one.made_at)}</small>
            </span>
            <Button
              size="small"
              aria-label={t("stages.take_one", { number: one.version })}
              onClick={() => {
                take(one.version);
              }}
            >
              {t("stages.take")}
            </Button>
          </li>
        ))}
        <li>
          <span>{t("stages.shipped")}</span>
          <Button
            size="small"
            aria-label={t("stages.take_shipped")}
            onClick={() => {
              take(0);
            }}
          >
            {t("stages.take")}
          </Button>
        </li>
      </ul>
    </Panel>
  );
}
