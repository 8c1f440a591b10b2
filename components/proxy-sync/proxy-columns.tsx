"use client";
import { useLocale, useTranslations } from "use-intl";
import type { ProxySync, TypeSync, XdsTypeName } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { formatAge } from "../ui/age.ts";
import type { Column } from "../ui/data-table.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { clientKind, clientVersion, isApplication } from "./client-kind.ts";
import { ForgetButton } from "./forget-button.tsx";
import { LostWords } from "./lost-words.tsx";
import styles from "./proxies.module.css";
import { SyncMark } from "./sync-mark.tsx";
import { severity } from "./sync-state.ts";

/**
 * A proxy, a column per xDS type that is shown, and what its process costs where that is known. `now` is the server's, so that ages don't depend on the
 * reader's clock.
 */
export function useProxyColumns(now: number, withUsage: boolean, shown: readonly XdsTypeName[]): Column<ProxySync>[] {
  const t = useTranslations("proxies");
  const locale = useLocale();
  const url = useUrlState();
  return [
    {
      key: "proxy",
      header: t("col-proxy"),
      phone: "title",
      sortValue: ({ name }) => name,
      cell: (proxy) => (
        <>
          <button type="button" className={styles.name} onClick={() => url.set({ proxy: proxy.id }, "push")}>
            {proxy.name}
          </button>
          <span className={`muted mono ${styles.where}`}>
            {proxy.namespace} · {proxy.address}
          </span>
          {!proxy.connected && <Lost proxy={proxy} />}
          {proxy.connected && proxy.restart && <RestartNeeded fields={proxy.restart} />}
        </>
      ),
    },
    {
      key: "kind",
      header: t("col-kind"),
      sortValue: (proxy) => `${isApplication(proxy) ? "application" : proxy.kind} ${proxy.implementation}`,
      cell: (proxy) => (
        <>
          {t(`kind-${isApplication(proxy) ? "application" : proxy.kind}`)}
          <Client proxy={proxy} />
        </>
      ),
    },
    ...shown.map(
      (type): Column<ProxySync> => ({
        key: type.toLowerCase(),
        header: t(`type-${type}`),
        sortValue: ({ types, connected }) => severity[connected ? types[type].state : "GONE"],
        cell: ({ types, connected }) => (connected ? <TypeCell sync={types[type]} type={type} now={now} /> : unknown),
      }),
    ),
    ...(withUsage ? usageColumns(t("col-cpu"), t("col-memory")) : []),
    {
      key: "up",
      header: t("col-up"),
      align: "right",
      sortValue: ({ connected, connectedAt }) => (connected ? now - connectedAt : -1),
      cell: ({ connected, connectedAt }) =>
        connected ? <span className="num muted">{formatAge(now - connectedAt, locale)}</span> : unknown,
    },
  ];
}

/** What it is, in a plain word; its own name for itself is there to be pointed at. */
function Client({ proxy }: { proxy: ProxySync }) {
  const t = useTranslations("proxies");
  const kind = clientKind(proxy);
  if (kind === null) return null;
  return (
    <span className={`muted ${styles.implementation}`} title={proxy.implementation} data-client={kind}>
      {kind === "other" ? proxy.implementation : `${t(`client-${kind}`)} ${clientVersion(proxy)}`}
    </span>
  );
}

/** It was started otherwise than a ProxyConfig has it by now. */
function RestartNeeded({ fields }: { fields: readonly string[] }) {
  const t = useTranslations("proxies");
  return (
    <span className={styles.restart} title={t("restart-needed-why", { fields: fields.join(", ") })}>
      {t("restart-needed")}
    </span>
  );
}

/** What a proxy that is gone holds is not known. */
const unknown = <span className="muted">–</span>;

/** Since when it is gone, and what it held by then: that goes on there. */
function Lost({ proxy }: { proxy: ProxySync }) {
  return (
    <span className={styles.lost} data-testid={`lost-${proxy.name}`}>
      <SyncMark state="GONE" silent />
      <LostWords proxy={proxy} />
      <ForgetButton proxy={proxy} />
    </span>
  );
}

const usageColumns = (cpu: string, memory: string): Column<ProxySync>[] => [
  {
    key: "cpu",
    header: cpu,
    align: "right",
    sortValue: ({ usage }) => usage?.cpu ?? -1,
    cell: ({ usage }) => <NumberWithUnit value={usage?.cpu ?? null} kind="share" />,
  },
  {
    key: "memory",
    header: memory,
    align: "right",
    sortValue: ({ usage }) => usage?.memoryBytes ?? -1,
    cell: ({ usage }) => <Memory bytes={usage?.memoryBytes ?? null} />,
  },
];

function Memory({ bytes }: { bytes: number | null }) {
  const locale = useLocale();
  if (bytes === null) return <span className="num">–</span>;
  return (
    <span className={`num ${styles.memory}`}>
      {new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(bytes / 1e6)} <small>MB</small>
    </span>
  );
}

/** What is as it should be is a quiet dot and an age; what is not says so in words. */
function TypeCell({ sync, type, now }: { sync: TypeSync; type: XdsTypeName; now: number }) {
  const t = useTranslations("proxies");
  const locale = useLocale();
  const age = sync.sinceMs === null || sync.state === "NOT_SENT" ? "" : formatAge(now - sync.sinceMs, locale);
  return (
    <span
      className={styles.sync}
      data-state={sync.state}
      data-type={type}
      title={`${t(`state-${sync.state}`)} · ${t("resources", { count: sync.resources })}`}
    >
      <SyncMark state={sync.state} />
      {sync.state !== "SYNCED" && <b aria-hidden>{t(`state-${sync.state}`)}</b>} <span className="num">{age}</span>
      <Acknowledged sync={sync} />
    </span>
  );
}

/** What it is to hold beside what it has acknowledged, where the two differ. */
function Acknowledged({ sync: { state, resources, acknowledged = resources } }: { sync: TypeSync }) {
  const t = useTranslations("proxies");
  if (acknowledged === resources || state === "NOT_SENT") return null;
  return (
    <span className={`muted num ${styles.acknowledged}`}>{t("acknowledged", { acknowledged, wanted: resources })}</span>
  );
}
