"use client";
import {
  IconBolt,
  IconCode,
  IconHexagon,
  IconHome,
  IconListSearch,
  IconServer2,
  IconTimeline,
  IconTopologyStar3,
} from "@tabler/icons-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";
import {
  configHref,
  faultsHref,
  logsHref,
  overviewHref,
  proxiesHref,
  servicesHref,
  topologyHref,
  tracesHref,
} from "../lib/links.ts";
import styles from "./navigation.module.css";

/** The pages that exist, each with its count; a count in the colour of trouble when something is wrong there. */
export const pages = [
  { key: "overview", href: overviewHref, icon: IconHome },
  { key: "topology", href: topologyHref, icon: IconTopologyStar3 },
  { key: "services", href: servicesHref, icon: IconHexagon },
  { key: "logs", href: logsHref, icon: IconListSearch },
  { key: "traces", href: tracesHref, icon: IconTimeline },
  { key: "faults", href: faultsHref, icon: IconBolt },
  { key: "proxies", href: proxiesHref, icon: IconServer2 },
  { key: "config", href: configHref, icon: IconCode },
] as const;

type PageKey = (typeof pages)[number]["key"];

export function Navigation({ status }: { status: MeshStatus | undefined }) {
  const t = useTranslations("nav");
  const path = usePathname();
  return (
    <nav className={styles.nav} aria-label={t("label")}>
      {pages.map(({ key, href, icon: Icon }) => {
        const count = status && countOf(key, status);
        return (
          <Link key={key} href={href} aria-current={path.startsWith(href) ? "page" : undefined} data-page={key}>
            <Icon size={16} stroke={1.8} aria-hidden />
            <span className={styles.name}>{t(key)}</span>
            {count && (
              <b
                className={count.tone ? styles[count.tone] : undefined}
                title={count.tone ? t(`wrong-${key}`, { count: count.wrong }) : undefined}
              >
                {count.shown}
              </b>
            )}
          </Link>
        );
      })}
    </nav>
  );
}

interface Count {
  shown: number;
  wrong: number;
  tone: "warn" | "bad" | null;
}

export function countOf(key: PageKey, status: MeshStatus): Count | null {
  // What can't be asked is not nought.
  if (!status.controlPlane.reachable) return null;
  const { total, refused, lagging, disconnected } = status.proxies;
  if (key === "services") {
    const { failing = 0, degraded = 0 } = status.trouble ?? {};
    const wrong = failing + degraded;
    if (wrong > 0) return { shown: wrong, wrong, tone: failing > 0 ? "bad" : "warn" };
    return { shown: status.services, wrong: 0, tone: null };
  }
  if (key === "faults") return status.faults ? { shown: status.faults, wrong: status.faults, tone: "bad" } : null;
  if (key === "config")
    return status.refusedObjects ? { shown: status.refusedObjects, wrong: status.refusedObjects, tone: "bad" } : null;
  if (key !== "proxies") return null;
  const bad = refused + disconnected;
  if (bad) return { shown: bad + lagging, wrong: bad + lagging, tone: "bad" };
  if (lagging) return { shown: lagging, wrong: lagging, tone: "warn" };
  return { shown: total, wrong: 0, tone: null };
}
