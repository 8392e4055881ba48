/** A segment beside others: how many are in both of each two. */
import { Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { Answer, Empty } from "@/shell/Answer";
import { Panel } from "@/shell/Page";

import { CompareWith } from "./CompareWith";
import { useOverlap, useSegments, type Overlap, type Segment } from "./queries";
import styles from "./Segments.module.css";

const OTHERS_MAX = 11;

export function ComparePart({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const segments = useSegments();
  return (
    <Answer of={segments} height={320}>
      {({ items }) => {
        const others = items.filter((one) => one.segment_id !== segment.segment_id);
        if (others.length === 0)
          return (
            <Panel>
              <Empty title={t("compare.none")} />
            </Panel>
          );
        return (
          <>
            <Panel title={t("beside.one")} about={t("beside.one_about")}>
              <CompareWith id={segment.segment_id} segments={items} />
            </Panel>
            <Overlaps segment={segment} others={others} />
          </>
        );
      }}
    </Answer>
  );
}

interface Props {
  segment: Segment;
  others: readonly Segment[];
}

function Overlaps({ segment, others }: Props) {
  const { t } = useTranslation("segments");
  const [chosen, setChosen] = useState(() => others.slice(0, 5).map((one) => one.segment_id));
  const overlap = useOverlap([segment.segment_id, ...chosen]);
  return (
    <Panel title={t("compare.overlap")} about={t("compare.overlap_about")}>
      <div className={styles.field}>
        <span aria-hidden="true">{t("compare.segments")}</span>
        <Select
          mode="multiple"
          maxCount={OTHERS_MAX}
          aria-label={t("compare.segments")}
          placeholder={t("compare.segments_how")}
          showSearch={{ optionFilterProp: "label" }}
          value={chosen}
          options={others.map((one) => ({ value: one.segment_id, label: one.name }))}
          onChange={setChosen}
        />
      </div>
      {chosen.length > 0 && (
        <Answer of={overlap} height={200}>
          {(found) => <Matrix found={found} />}
        </Answer>
      )}
    </Panel>
  );
}

function Matrix({ found }: { found: Overlap }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls where it is too wide
    <div className={styles.scroll} tabIndex={0} role="region" aria-label={t("compare.overlap")}>
      <table className={styles.matrix}>
        <thead>
          <tr>
            <th scope="col">{t("compare.segment")}</th>
            {found.segments.map((one) => (
              <th key={one.segment_id} scope="col">
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.segments.map((row, at) => (
            <tr key={row.segment_id}>
              <th scope="row">{row.name}</th>
              {found.segments.map((column, across) => {
                const both = found.both[at]?.[across] ?? 0;
                const share = row.customers === 0 ? 0 : both / row.customers;
                return (
                  <td key={column.segment_id} data-heat={Math.round(share * 10)}>
                    {say.number(both)}
                    {at !== across && <small>{say.share(share, 0)}</small>}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
