/** A stage by its colour and its name. */
import { stageColour } from "@/base/stages";
import { useNames } from "@/base/useSaying";

import styles from "./Stage.module.css";

export function Stage({ stage }: { stage: string }) {
  const names = useNames();
  return (
    <span className={styles.stage}>
      <span className={styles.dot} style={{ background: stageColour(stage) }} aria-hidden="true" />
      {names("stages", stage)}
    </span>
  );
}
