"use client";
import { useMounted } from "@mantine/hooks";
import { useLocale, useTranslations } from "use-intl";
import type { MeshStatus, ProxySync } from "../../server/contract/index.ts";
import { formatAge } from "../ui/age.ts";
import { Kpi } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { KpiSkeleton } from "../ui/skeletons.tsx";
import styles from "./proxies.module.css";
import { fleetCounts } from "./sync-state.ts";

export interface FleetFiguresProps {
  proxies: readonly ProxySync[] | undefined;
  status: MeshStatus | undefined;
  /** The server's clock, Unix milliseconds. */
  now: number;
}

export function FleetFiguresSkeleton() {
  return (
    <div className={styles.figures}>
      <KpiSkeleton count={6} />
    </div>
  );
}

/** Is the fleet in sync, how fast are pushes, what is wrong. */
export function FleetFigures({ proxies, status, now }: FleetFiguresProps) {
  const t = useTranslations("proxies");
  const locale = useLocale();
  // The frame may know of the pushes before this part of the page is hydrated, and the server's HTML does not.
  const mounted = useMounted();
  if (!proxies) return <FleetFiguresSkeleton />;
  const { total, inSync, refused, lagging, disconnected } = fleetCounts(proxies);
  const last = mounted ? status?.lastPush : null;
  const pushes = mounted ? status?.pushes : null;
  return (
    <dl className={styles.figures} data-testid="fleet-figures">
      <Kpi label={t("in-sync")}>
        {inSync} / {total}
      </Kpi>
      <Kpi label={t("last-push")}>
        <NumberWithUnit value={last && last.proxies.length > 0 ? last.ms : null} kind="ms" />
      </Kpi>
      <Kpi
        label={
          pushes && pushes.count > 0
            ? t("p99-push-of", { count: pushes.count, span: formatAge(now - pushes.sinceMs, locale) })
            : t("p99-push")
        }
      >
        <NumberWithUnit value={pushes?.p99Ms ?? null} kind="ms" />
      </Kpi>
      <Kpi label={t("refused")} tone={refused > 0 ? "bad" : "plain"}>
        {refused}
      </Kpi>
      <Kpi label={t("lagging")} tone={lagging > 0 ? "warn" : "plain"}>
        {lagging}
      </Kpi>
      <Kpi label={t("disconnected")} tone={disconnected > 0 ? "bad" : "plain"}>
        {disconnected}
      </Kpi>
    </dl>
  );
}
