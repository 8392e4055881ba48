/** How many were in a segment over the last days, in a line as small as a word; asked for once it is seen. */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { useSaying } from "@/base/useSaying";

import { useSizes } from "./queries";
import styles from "./Segments.module.css";
import { lineOf } from "./sizes";

const WIDTH = 96;
const HEIGHT = 24;
const DAYS = 30;

export function Sparkline({ segment, name }: { segment: string; name: string }) {
  const { t } = useTranslation("segments");
  const say = useSaying();
  const place = useRef<HTMLSpanElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (!element || seen) return;
    const watched = new IntersectionObserver(([latest]) => {
      if (latest?.isIntersecting) setSeen(true);
    });
    watched.observe(element);
    return () => {
      watched.disconnect();
    };
  }, [seen]);
  const sizes = useSizes(segment, DAYS, seen).data?.items ?? [];
  const [first, last] = [sizes[0], sizes.at(-1)];
  return (
    <span ref={place} className={styles.spark}>
      {first && last && sizes.length > 1 && (
        <svg
          width={WIDTH}
          height={HEIGHT}
          role="img"
          aria-label={t("list.sizes_of", { name, from: say.number(first.customers), to: say.number(last.customers) })}
        >
          <polyline
            points={lineOf(
              sizes.map((one) => one.customers),
              WIDTH,
              HEIGHT,
            )}
          />
        </svg>
      )}
    </span>
  );
}
