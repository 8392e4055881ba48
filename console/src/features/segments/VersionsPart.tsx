/** What a segment has said: what differs from now, and taking it up again. */
import { Button } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";
import { useMay } from "@/features/access/session";
import { useOverview } from "@/features/lifecycle/queries";
import { api } from "@/platform/client";
import { meaning } from "@/platform/editing";
import { Answer } from "@/shell/Answer";
import { useDoing } from "@/shell/doing";
import { Panel } from "@/shell/Page";
import { useTelling } from "@/shell/undo";

import {
  definitionIn,
  reading,
  useAgain,
  useVersions,
  useVocabulary,
  type Segment,
  type Version,
  type Vocabulary,
} from "./queries";
import styles from "./Segments.module.css";
import { SpeakingContext } from "./speaking";
import { Tree } from "./Tree";
import { definitionOf, draftOf, onlyIn } from "./tree";
import { useWording } from "./wording";

export function VersionsPart({ segment }: { segment: Segment }) {
  const { t } = useTranslation("segments");
  const versions = useVersions(segment.segment_id);
  return (
    <Panel title={t("versions.title")} about={t("versions.about")}>
      <Answer of={versions} height={240}>
        {({ items }) => (
          <ul className={styles.versions}>
            {items.map((one) => (
              <Row key={one.version} version={one} segment={segment} />
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}

function Row({ version, segment }: { version: Version; segment: Segment }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const may = useMay();
  const tell = useTelling();
  const again = useAgain();
  const { attempt } = useDoing();
  const [seeing, setSeeing] = useState(false);
  const [busy, setBusy] = useState(false);
  const now = version.version === segment.version;
  const number = version.version;
  const restore = async () => {
    setBusy(true);
    await attempt(async () => {
      // In place of what is there as it is seen here: who was overtaken by somebody else is told.
      const { thing, tag } = await reading(segment.segment_id).read();
      const path = { segment_id: segment.segment_id };
      await api.PUT("/api/segments/{segment_id}", {
        params: { path, header: meaning(tag) },
        body: { name: thing.name, definition: definitionIn(version) },
      });
      await api.POST("/api/segments/{segment_id}/build", { params: { path } });
      tell(t("versions.restored", { version: number }));
    });
    await again();
    setBusy(false);
  };
  return (
    <li>
      <div>
        <strong>{t("versions.number", { version: number })}</strong>{" "}
        <small>
          {now && `${t("versions.now")} · `}
          {version.made_by} · {say.moment(version.made_at)}
        </small>
        <p>{version.text}</p>
      </div>
      {!now && (
        <div className={styles.buttons}>
          <Button
            size="small"
            aria-expanded={seeing}
            aria-label={t("versions.see_one", { version: number })}
            onClick={() => {
              setSeeing(!seeing);
            }}
          >
            {t("versions.see")}
          </Button>
          {may("segments.write") && (
            <Button
              size="small"
              loading={busy}
              aria-label={t("versions.restore_one", { version: number })}
              onClick={() => void restore()}
            >
              {t("versions.restore")}
            </Button>
          )}
        </div>
      )}
      {seeing && !now && <Difference version={version} segment={segment} />}
    </li>
  );
}

function Difference({ version, segment }: { version: Version; segment: Segment }) {
  const vocabulary = useVocabulary();
  const overview = useOverview();
  return (
    <Answer of={vocabulary} height={160}>
      {(words) => (
        <Both version={version} segment={segment} words={words} currency={overview.data?.refresh?.currency ?? null} />
      )}
    </Answer>
  );
}

interface BothProps {
  version: Version;
  segment: Segment;
  words: Vocabulary;
  currency: string | null;
}

function Both({ version, segment, words, currency }: BothProps) {
  const { t } = useTranslation("segments");
  const wording = useWording(words, currency);
  const speaking = useMemo(() => ({ words, wording, currency }), [words, wording, currency]);
  const [then, now] = useMemo(
    () => [draftOf(definitionIn(version)), draftOf(definitionIn(segment))],
    [version, segment],
  );
  const gone = onlyIn(definitionOf(then), definitionOf(now));
  const added = onlyIn(definitionOf(now), definitionOf(then));
  return (
    <SpeakingContext value={speaking}>
      <div>
        <p className={styles.about}>{t(gone.size + added.size > 0 ? "versions.changed" : "versions.same")}</p>
        <div className={styles.beside}>
          <section>
            <h3>{t("versions.then", { version: version.version })}</h3>
            <Tree root={then} marked={{ keys: gone, how: "gone" }} />
          </section>
          <section>
            <h3>{t("versions.present", { version: segment.version })}</h3>
            <Tree root={now} marked={{ keys: added, how: "new" }} />
          </section>
        </div>
      </div>
    </SpeakingContext>
  );
}
