"use client";
import { useTranslations } from "use-intl";
import type { ExplainedCluster } from "../../server/contract/index.ts";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./explain.module.css";
import { Mark } from "./mark.tsx";
import { OriginLink } from "./origin-link.tsx";
import { Percent } from "./percent.tsx";

/** Where a share of the requests goes: the cluster, what its DestinationRule says, and its endpoints. */
export function ClusterStep({ cluster }: { cluster: ExplainedCluster }) {
  const t = useTranslations("explain");
  const { name, share, found, subset, discovery, policy, tls, origin, endpoints, more, outlierDetection, live } =
    cluster;
  return (
    <>
      <span className={styles.head}>
        {share < 1 && <Percent share={share} />} <span className={`mono ${styles.name}`}>{name}</span>
        {subset && <VersionChip version={subset} />}
      </span>
      {found ? (
        <>
          <small>
            {[discovery, policy, t(`tls-${tls}`), outlierDetection && t("outlier")].filter(Boolean).join(" · ")}
          </small>
          {origin && <OriginLink origin={origin} />}
          {live && (
            <small data-testid="live-hosts">
              {t("live-hosts", { healthy: live.healthy, total: live.total })}
              {live.ejected > 0 && ` · ${t("live-ejected", { count: live.ejected })}`}
            </small>
          )}
          {endpoints.length > 0 && (
            <ul className={styles.endpoints}>
              {endpoints.map((endpoint) => (
                <li key={endpoint.address}>
                  <Mark ok={endpoint.healthy} /> <span className="mono">{endpoint.address}</span>
                  <span className={styles.quiet}>
                    {[
                      endpoint.workload,
                      endpoint.group ? t("registered-by", { group: endpoint.group }) : "",
                      endpoint.locality,
                      endpoint.healthy ? "" : endpoint.health,
                      endpoint.priority > 0 ? t("priority", { priority: endpoint.priority }) : "",
                    ]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </li>
              ))}
            </ul>
          )}
          {more > 0 && <small>{t("more-endpoints", { count: more })}</small>}
        </>
      ) : (
        <small>{t("cluster-missing")}</small>
      )}
    </>
  );
}
