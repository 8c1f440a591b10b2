"use client";
import { useTranslations } from "use-intl";
import type { Routing, ServiceMetrics } from "../../server/contract/index.ts";
import { useRouting } from "../lib/queries.ts";
import { SideSection } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { SplitBar, VersionChip } from "../ui/version-chip.tsx";
import styles from "./panel.module.css";

export interface SplitSectionProps {
  service: { namespace: string; name: string };
  metrics: ServiceMetrics | undefined;
  /** There are several versions on the graph: their place is kept until the rules are read. */
  expected: boolean;
}

/** What the config says, and under it what traffic really does. Nothing for a service of one version. */
export function SplitSection({ service, metrics, expected }: SplitSectionProps) {
  const t = useTranslations("panel");
  const { data: routing, error } = useRouting(service);
  if (!routing && expected && error === null)
    return (
      <SideSection>
        <SkeletonBlock height={95} />
      </SideSection>
    );
  if (!routing || routing.versions.length < 2) return null;
  const configured = configuredShares(routing);
  const observed = metrics?.observedShares ?? {};
  const said = (shares: Record<string, number>) =>
    Object.entries(shares)
      .map(([version, share]) => `${version} ${Math.round(share * 100)} %`)
      .join(", ");
  return (
    <SideSection>
      <div className={styles.title}>
        <h2>{t("split")}</h2>
        <span className="muted">{configured ? t("split-hint", { rule: configured.rule + 1 }) : t("split-none")}</span>
      </div>
      <div className={styles.splits}>
        {configured && (
          <>
            <span>{t("configured")}</span>
            <SplitBar
              shares={configured.shares}
              label={t("shares-said", { what: t("configured"), shares: said(configured.shares) })}
            />
          </>
        )}
        <span>{t("observed")}</span>
        <SplitBar
          shares={ordered(observed, routing)}
          label={t("shares-said", { what: t("observed"), shares: said(observed) })}
        />
      </div>
      <div className={styles.chips}>
        {routing.versions.map(({ version }) => (
          <VersionChip key={version} version={version}>
            {Math.round(
              (configured?.shares ?? observed)[version] === undefined
                ? 0
                : ((configured?.shares ?? observed)[version] ?? 0) * 100,
            )}
          </VersionChip>
        ))}
      </div>
    </SideSection>
  );
}

/** The rule for everything else, or the last one; by version, 0..1. Null without weights. */
export function configuredShares(routing: Routing): { rule: number; shares: Record<string, number> } | null {
  const rule = routing.rules.find(({ matches }) => matches.length === 0) ?? routing.rules.at(-1);
  if (!rule || rule.destinations.length === 0) return null;
  const weights = new Map(routing.versions.map(({ version }) => [version, 0]));
  const single = rule.destinations.length === 1;
  for (const { version, subset, weight } of rule.destinations) {
    const key = version ?? subset;
    if (key === null) return null;
    weights.set(key, (weights.get(key) ?? 0) + (single ? 100 : weight));
  }
  return {
    rule: rule.index,
    shares: Object.fromEntries([...weights].map(([version, weight]) => [version, weight / 100])),
  };
}

const ordered = (shares: Record<string, number>, routing: Routing): Record<string, number> =>
  Object.fromEntries(routing.versions.map(({ version }) => [version, shares[version] ?? 0]));
