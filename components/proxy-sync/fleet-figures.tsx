"use client";
import { useMounted } from "@mantine/hooks";
import { useTranslations } from "use-intl";
import type { ProxySync, PushStatus } from "../../server/contract/index.ts";
import { Kpi } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { KpiSkeleton } from "../ui/skeletons.tsx";
import styles from "./proxies.module.css";
import { fleetCounts } from "./sync-state.ts";

/** Is the fleet in sync, how fast was the last push, what is wrong. */
export function FleetFigures({
  proxies,
  push,
}: {
  proxies: readonly ProxySync[] | undefined;
  push: PushStatus | null;
}) {
  const t = useTranslations("proxies");
  // The frame may know of the push before this part of the page is hydrated, and the server's HTML does not.
  const mounted = useMounted();
  if (!proxies)
    return (
      <div className={styles.figures}>
        <KpiSkeleton count={4} />
      </div>
    );
  const { total, inSync, refused, lagging } = fleetCounts(proxies);
  return (
    <dl className={styles.figures} data-testid="fleet-figures">
      <Kpi label={t("in-sync")}>
        {inSync} / {total}
      </Kpi>
      <Kpi label={t("last-push")}>
        <NumberWithUnit value={mounted && push && push.proxies.length > 0 ? push.ms : null} kind="ms" />
      </Kpi>
      <Kpi label={t("refused")} tone={refused > 0 ? "bad" : "plain"}>
        {refused}
      </Kpi>
      <Kpi label={t("lagging")} tone={lagging > 0 ? "warn" : "plain"}>
        {lagging}
      </Kpi>
    </dl>
  );
}
