"use client";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";
import { outOfSyncHref, overviewHref, proxiesHref } from "../lib/links.ts";
import { useSession } from "../lib/session.tsx";
import { Drop } from "../ui/drop.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { Link } from "../ui/link.tsx";
import { PartBoundary } from "../ui/part-boundary.tsx";
import { Pill } from "../ui/pill.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { CommandPalette } from "./command-palette.tsx";
import type { Freshness } from "./freshness.ts";
import { LivePill } from "./live-pill.tsx";
import styles from "./top-bar.module.css";

// A menu brings the placing of what floats along, which no page needs to be read.
const UserMenu = dynamic(() => import("./user-menu.tsx").then((module) => module.UserMenu), {
  ssr: false,
  loading: UserName,
});

/** The menu's place until it is there. */
function UserName() {
  const session = useSession();
  return <Pill>{session?.displayName || session?.name || "…"}</Pill>;
}

export function TopBar({ status, freshness }: { status: MeshStatus | undefined; freshness: Freshness }) {
  const t = useTranslations("frame");
  return (
    <header className={styles.top}>
      <Link href={overviewHref} className={styles.brand}>
        <Drop />
        Limpid
      </Link>
      <span className={styles.mesh}>
        <Pill>
          {t("mesh")} <b>{status?.mesh ?? "…"}</b>
        </Pill>
      </span>
      <CommandPalette />
      <span className={styles.gap} />
      <span className={styles.told} data-tour="fleet">
        <FleetPill status={status} />
      </span>
      <span className={styles.told} data-tour="live">
        <LivePill freshness={freshness} />
      </span>
      <PartBoundary instead={<UserName />}>
        <UserMenu />
      </PartBoundary>
    </header>
  );
}

/** Is the fleet in sync, and how long did the last push take to the last proxy. */
function FleetPill({ status }: { status: MeshStatus | undefined }) {
  const t = useTranslations("frame");
  if (!status) return <Pill>{t("fleet-waiting")}</Pill>;
  const { total, inSync, refused, disconnected } = status.proxies;
  const { reachable } = status.controlPlane;
  const health =
    !reachable || refused + disconnected > 0
      ? "failing"
      : inSync < total
        ? "degraded"
        : total === 0
          ? "idle"
          : "healthy";
  return (
    <Pill
      href={inSync < total ? outOfSyncHref : proxiesHref}
      tone={health === "failing" ? "bad" : "plain"}
      data-testid="fleet-pill"
      title={status.controlPlane.message ?? (disconnected > 0 ? t("disconnected", { count: disconnected }) : "")}
    >
      <HealthMark health={health} />
      {reachable ? (
        <>
          <span className={styles.wide}>{t("in-sync", { inSync, total })}</span>
          <span className={styles.narrow}>
            {inSync}/{total}
          </span>
          {status.lastPush && status.lastPush.ms !== null && status.lastPush.proxies.length > 0 && (
            <span className={styles.push}>
              · {t("last-push")} <NumberWithUnit value={status.lastPush.ms} kind="ms" />
            </span>
          )}
        </>
      ) : (
        <span>{t("control-plane-down")}</span>
      )}
    </Pill>
  );
}
