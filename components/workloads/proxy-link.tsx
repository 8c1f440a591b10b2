"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { ProxySync, WorkloadItem } from "../../server/contract/index.ts";
import { proxyHref } from "../lib/links.ts";
import { LostWords } from "../proxy-sync/lost-words.tsx";
import { SyncMark } from "../proxy-sync/sync-mark.tsx";
import { worstState } from "../proxy-sync/sync-state.ts";
import styles from "./workloads.module.css";

/** A workload's proxy: one that is connected before one that is gone. */
export const proxyOf = (
  { namespace, name }: Pick<WorkloadItem, "namespace" | "name">,
  proxies: readonly ProxySync[] | undefined,
): ProxySync | undefined =>
  proxies
    ?.filter((proxy) => proxy.namespace === namespace && proxy.name === name)
    .toSorted((a, b) => Number(b.connected) - Number(a.connected))[0];

/** `known`: the fleet could be asked. */
export function ProxyLink({ proxy, known }: { proxy: ProxySync | undefined; known: boolean }) {
  const t = useTranslations("workloads");
  // As wide as what comes, so that no row breaks into more lines when it does.
  if (!known) return <span className={`muted ${styles.expected}`}>–</span>;
  if (!proxy) return <span className="muted">{t("no-proxy")}</span>;
  return (
    <Link
      href={proxyHref(proxy.id)}
      prefetch={false}
      className={proxy.connected ? styles.proxy : `${styles.proxy} ${styles.lost}`}
    >
      <SyncMark state={proxy.connected ? worstState(proxy) : "GONE"} />{" "}
      {proxy.connected ? proxy.implementation : <LostWords proxy={proxy} />}
    </Link>
  );
}
