import type { CSSProperties, ReactNode } from "react";
import styles from "./version-chip.module.css";
import { versionColor } from "./version-color.ts";

/** What Istio calls the version of a workload that names none. */
const unversioned = "latest";

/** A version in its colour; children follow the name (`v1 50`). Nothing for a workload that names no version. */
export function VersionChip({ version, children }: { version: string; children?: ReactNode }) {
  if (version === unversioned && children === undefined) return null;
  return (
    <span className={styles.chip} style={{ "--c": versionColor(version) } as CSSProperties}>
      {version}
      {children !== undefined && <> {children}</>}
    </span>
  );
}

/** Shares as one bar in version colours; the parts slide when traffic moves. Shares need not sum to 1. */
export function SplitBar({
  shares,
  label,
  height = 10,
}: {
  shares: Record<string, number>;
  label: string;
  height?: number;
}) {
  const parts = Object.entries(shares);
  return (
    <span className={styles.split} role="img" aria-label={label} style={{ height }}>
      {/* Times 1000: parts whose flex-grow sums to less than 1 would leave the rest of the bar empty. */}
      {parts.map(([version, share]) => (
        <i key={version} title={version} style={{ flexGrow: share * 1000, background: versionColor(version) }} />
      ))}
    </span>
  );
}
