import {
  IconBell,
  IconBolt,
  IconBooks,
  IconChartLine,
  IconClipboardText,
  IconCode,
  IconDoorEnter,
  IconGauge,
  IconHelpHexagon,
  IconHexagon,
  IconHistory,
  IconHome,
  IconListSearch,
  IconServer2,
  IconSettings,
  IconShieldLock,
  IconStack2,
  IconTimeline,
  IconTopologyStar3,
  IconUsers,
} from "@tabler/icons-react";
import type { MeshStatus, Need } from "../../server/contract/index.ts";
import {
  alertsHref,
  auditHref,
  configHref,
  designsHref,
  explainHref,
  faultsHref,
  gatewaysHref,
  historyHref,
  loadHref,
  logsHref,
  metricsHref,
  overviewHref,
  proxiesHref,
  securityHref,
  servicesHref,
  settingsHref,
  topologyHref,
  tracesHref,
  usersHref,
  workloadsHref,
} from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";

interface PageEntry {
  key: string;
  href: string;
  icon: typeof IconUsers;
  letter: string;
  group: number;
  atHand: boolean;
  /** It and the pages below it show a stretch of time, which their address names; elsewhere `from` and `at` are something else. */
  ranged?: true;
  /** Left out: for everybody who has signed in. */
  need?: Need;
}

/**
 * The pages that exist, each with the key that leads to it after `g`. On a phone those that are `atHand` stand in the bar below, the others
 * behind “More”. A line divides the groups: what is seen, what is changed, what carries it.
 */
export const pages = [
  { key: "overview", href: overviewHref, icon: IconHome, letter: "o", group: 0, atHand: true, ranged: true },
  { key: "topology", href: topologyHref, icon: IconTopologyStar3, letter: "t", group: 0, atHand: true, ranged: true },
  { key: "services", href: servicesHref, icon: IconHexagon, letter: "s", group: 0, atHand: true, ranged: true },
  { key: "workloads", href: workloadsHref, icon: IconStack2, letter: "w", group: 0, atHand: false, ranged: true },
  { key: "gateways", href: gatewaysHref, icon: IconDoorEnter, letter: "a", group: 0, atHand: false, ranged: true },
  { key: "logs", href: logsHref, icon: IconListSearch, letter: "l", group: 0, atHand: false, ranged: true },
  { key: "traces", href: tracesHref, icon: IconTimeline, letter: "r", group: 0, atHand: false, ranged: true },
  { key: "metrics", href: metricsHref, icon: IconChartLine, letter: "m", group: 0, atHand: false, ranged: true },
  { key: "explain", href: explainHref(), icon: IconHelpHexagon, letter: "e", group: 0, atHand: false },
  { key: "security", href: securityHref, icon: IconShieldLock, letter: "y", group: 0, atHand: false, ranged: true },
  { key: "alerts", href: alertsHref, icon: IconBell, letter: "n", group: 0, atHand: false },
  { key: "faults", href: faultsHref, icon: IconBolt, letter: "f", group: 1, atHand: true },
  { key: "load", href: loadHref, icon: IconGauge, letter: "b", group: 1, atHand: false },
  { key: "config", href: configHref, icon: IconCode, letter: "c", group: 1, atHand: false },
  { key: "designs", href: designsHref, icon: IconBooks, letter: "d", group: 1, atHand: false },
  { key: "history", href: historyHref, icon: IconHistory, letter: "h", group: 1, atHand: false },
  { key: "proxies", href: proxiesHref, icon: IconServer2, letter: "p", group: 2, atHand: false },
  {
    key: "users",
    href: usersHref,
    icon: IconUsers,
    letter: "u",
    group: 2,
    atHand: false,
    need: { role: "administrator" },
  },
  {
    key: "audit",
    href: auditHref,
    icon: IconClipboardText,
    letter: "i",
    group: 2,
    atHand: false,
    need: { role: "administrator", namespace: "*" },
  },
  { key: "settings", href: settingsHref, icon: IconSettings, letter: "x", group: 2, atHand: false },
] as const satisfies readonly PageEntry[];

/** Those that the reader may see. */
export function usePages(): (typeof pages)[number][] {
  const may = useMay();
  return pages.filter(
    (page) => !("need" in page) || may(page.need.role, "namespace" in page.need ? page.need.namespace : undefined),
  );
}

/** Whether what is seen there is of the time that the address names. A trace has a time of its own. */
export const isRanged = (path: string): boolean =>
  pages.some(
    ({ href, ...page }) => "ranged" in page && (path === href || (href !== tracesHref && path.startsWith(`${href}/`))),
  );

export type PageKey = (typeof pages)[number]["key"];

export interface Count {
  shown: number;
  wrong: number;
  tone: "warn" | "bad" | null;
}

/** What stands beside a page's name: how many there are, and what is wrong instead when something is. */
export function countOf(key: PageKey, status: MeshStatus): Count | null {
  // What can't be asked is not nought.
  if (!status.controlPlane.reachable) return null;
  const { total, refused, lagging, disconnected, lateCertificates } = status.proxies;
  if (key === "services") {
    const { failing = 0, degraded = 0 } = status.trouble ?? {};
    const wrong = failing + degraded;
    if (wrong > 0) return { shown: wrong, wrong, tone: failing > 0 ? "bad" : "warn" };
    return { shown: status.services, wrong: 0, tone: null };
  }
  if (key === "alerts") {
    const { active = 0, critical = 0 } = status.alerts ?? {};
    return active > 0 ? { shown: active, wrong: active, tone: critical > 0 ? "bad" : "warn" } : null;
  }
  if (key === "security") {
    const { expiring = 0, turnedAway = 0 } = status.security ?? {};
    const wrong = expiring + turnedAway;
    return wrong > 0 ? { shown: wrong, wrong, tone: turnedAway > 0 ? "bad" : "warn" } : null;
  }
  if (key === "gateways") {
    const { bad = 0, warn = 0 } = status.gateways ?? {};
    const wrong = bad + warn;
    return wrong > 0 ? { shown: wrong, wrong, tone: bad > 0 ? "bad" : "warn" } : null;
  }
  if (key === "faults") return status.faults ? { shown: status.faults, wrong: status.faults, tone: "bad" } : null;
  if (key === "config")
    return status.refusedObjects ? { shown: status.refusedObjects, wrong: status.refusedObjects, tone: "bad" } : null;
  if (key !== "proxies") return null;
  const bad = refused + disconnected;
  const wrong = bad + lagging + lateCertificates;
  if (wrong > 0) return { shown: wrong, wrong, tone: bad > 0 ? "bad" : "warn" };
  return { shown: total, wrong: 0, tone: null };
}

/** All that is wrong on pages that a phone has behind “More”, in the colour of the worst; null when nothing is. */
export function hiddenTrouble(status: MeshStatus): Count | null {
  const counts = pages.flatMap(({ key, atHand }) => (atHand ? [] : (countOf(key, status) ?? [])));
  const wrong = counts.reduce((sum, count) => sum + count.wrong, 0);
  if (wrong === 0) return null;
  return { shown: wrong, wrong, tone: counts.some(({ tone }) => tone === "bad") ? "bad" : "warn" };
}
