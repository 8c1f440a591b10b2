"use client";
import { useTranslations } from "use-intl";
import { formatCountdown } from "../ui/format.ts";
import styles from "./fault.module.css";
import type { Fuse } from "./fuse.ts";

const radius = 12;
const length = 2 * Math.PI * radius;

/** What is left of a fault's time, as a ring that burns down and in figures. */
export function FuseRing({ fuse }: { fuse: Fuse | null }) {
  const t = useTranslations("faults");
  const text = fuse === null ? t("until-stopped") : fuse.leftMs === 0 ? t("ending") : formatCountdown(fuse.leftMs);
  return (
    <span className={styles.fuse} data-testid="fuse">
      <svg width={30} height={30} viewBox="-15 -15 30 30" aria-hidden>
        <circle r={radius} className={styles.track} />
        <circle
          r={radius}
          className={styles.burning}
          strokeDasharray={length}
          strokeDashoffset={fuse === null ? 0 : length * (1 - fuse.leftShare)}
          transform="rotate(-90)"
        />
      </svg>
      <span role="timer">{text}</span>
    </span>
  );
}
