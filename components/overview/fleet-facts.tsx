"use client";
import { useMounted } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { MeshStatus, ProxyList } from "../../server/contract/index.ts";
import { outOfSyncHref, proxiesHref } from "../lib/links.ts";
import { fleetCounts } from "../proxy-sync/sync-state.ts";
import { formatAge } from "../ui/age.ts";
import { Link } from "../ui/link.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import styles from "./overview.module.css";
import { certificatesOf } from "./trouble.ts";

/** Who is there, how fast a change gets to them, and how long their certificates last. */
export function FleetFacts({ proxies, status }: { proxies: ProxyList | undefined; status: MeshStatus | undefined }) {
  const t = useTranslations("overview");
  const locale = useLocale();
  // The frame may know more by now than the server's HTML did.
  const mounted = useMounted();
  if (!proxies) return <SkeletonBlock height={150} />;
  const { total, inSync, refused, lagging, disconnected } = fleetCounts(proxies.proxies);
  const { count, nextEndMs, late } = certificatesOf(proxies);
  const last = mounted ? status?.lastPush : null;
  const p99 = mounted ? (status?.pushes?.p99Ms ?? null) : null;
  return (
    <dl className={styles.facts}>
      <Fact label={t("in-sync")} tone={inSync < total ? "bad" : "plain"}>
        <Link className="link" href={inSync < total ? outOfSyncHref : proxiesHref}>
          {inSync} / {total}
        </Link>
      </Fact>
      {disconnected > 0 && (
        <Fact label={t("disconnected")} tone="bad">
          {disconnected}
        </Fact>
      )}
      {refused > 0 && (
        <Fact label={t("refusing")} tone="bad">
          {refused}
        </Fact>
      )}
      {lagging > 0 && (
        <Fact label={t("behind")} tone="warn">
          {lagging}
        </Fact>
      )}
      <Fact label={t("last-push")}>
        <NumberWithUnit value={last && last.proxies.length > 0 ? last.ms : null} kind="ms" />
      </Fact>
      <Fact label={t("p99-push")}>
        <NumberWithUnit value={p99} kind="ms" />
      </Fact>
      <Fact label={t("certificates")}>{count === 0 ? t("none") : count}</Fact>
      {nextEndMs !== null && (
        <Fact label={t("next-end")} tone={late > 0 ? "warn" : "plain"}>
          {formatAge(nextEndMs - proxies.at, locale)}
        </Fact>
      )}
    </dl>
  );
}

function Fact({
  label,
  tone = "plain",
  children,
}: {
  label: string;
  tone?: "plain" | "warn" | "bad";
  children: ReactNode;
}) {
  return (
    <>
      <dt>{label}</dt>
      <dd className="num" data-tone={tone}>
        {children}
      </dd>
    </>
  );
}
