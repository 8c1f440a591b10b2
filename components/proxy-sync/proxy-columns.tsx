"use client";
import { useLocale, useTranslations } from "use-intl";
import { type ProxySync, type TypeSync, type XdsTypeName, xdsTypes } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { formatAge } from "../ui/age.ts";
import type { Column } from "../ui/data-table.tsx";
import styles from "./proxies.module.css";
import { SyncMark } from "./sync-mark.tsx";

const rank = { ERROR: 3, STALE: 2, SYNCED: 1, NOT_SENT: 0 };

/** A proxy, and a column per xDS type. `now` is the server's, so that ages don't depend on the reader's clock. */
export function useProxyColumns(now: number): Column<ProxySync>[] {
  const t = useTranslations("proxies");
  const locale = useLocale();
  const url = useUrlState();
  return [
    {
      key: "proxy",
      header: t("col-proxy"),
      phone: "title",
      sortValue: ({ name }) => name,
      cell: ({ id, name, namespace, address }) => (
        <>
          <button type="button" className={styles.name} onClick={() => url.set({ proxy: id }, "push")}>
            {name}
          </button>
          <span className={`muted mono ${styles.where}`}>
            {namespace} · {address}
          </span>
        </>
      ),
    },
    {
      key: "kind",
      header: t("col-kind"),
      sortValue: ({ kind, implementation }) => `${kind} ${implementation}`,
      cell: ({ kind, implementation }) => (
        <>
          {t(`kind-${kind}`)}
          <span className={`muted ${styles.implementation}`}>{implementation}</span>
        </>
      ),
    },
    ...xdsTypes.map(
      (type): Column<ProxySync> => ({
        key: type.toLowerCase(),
        header: t(`type-${type}`),
        sortValue: ({ types }) => rank[types[type].state],
        cell: ({ types }) => <TypeCell sync={types[type]} type={type} now={now} />,
      }),
    ),
    {
      key: "up",
      header: t("col-up"),
      align: "right",
      sortValue: ({ connectedAt }) => now - connectedAt,
      cell: ({ connectedAt }) => <span className="num muted">{formatAge(now - connectedAt, locale)}</span>,
    },
  ];
}

function TypeCell({ sync, type, now }: { sync: TypeSync; type: XdsTypeName; now: number }) {
  const t = useTranslations("proxies");
  const locale = useLocale();
  const age = sync.sinceMs === null || sync.state === "NOT_SENT" ? "" : formatAge(now - sync.sinceMs, locale);
  return (
    <span
      className={styles.sync}
      data-state={sync.state}
      data-type={type}
      title={t("resources", { count: sync.resources })}
    >
      <SyncMark state={sync.state} />
      <span aria-hidden>{t(`state-${sync.state}`)}</span> <span className="num">{age}</span>
    </span>
  );
}
