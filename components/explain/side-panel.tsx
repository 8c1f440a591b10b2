"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ExplainedDestination, ExplainedSide } from "../../server/contract/index.ts";
import { proxyHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { Panel } from "../ui/panel.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { CheckList } from "./check-list.tsx";
import { ClusterStep } from "./cluster-step.tsx";
import styles from "./explain.module.css";
import { FilterSteps } from "./filter-steps.tsx";
import { ForwardFacts } from "./forward-facts.tsx";
import { Mark } from "./mark.tsx";
import { OriginLink } from "./origin-link.tsx";
import { RouteSteps } from "./route-steps.tsx";
import { Step } from "./step.tsx";
import { End } from "./verdict.tsx";

/** What one proxy does with the request, step by step. `before`: how it came there. */
export function SidePanel({ side, before }: { side: ExplainedSide; before?: ReactNode }) {
  const t = useTranslations("explain");
  const { proxy, direction, listener, virtualHost, routeConfiguration, request } = side;
  return (
    <Panel
      title={
        <>
          {proxy.name} {proxy.version && <VersionChip version={proxy.version} />}
        </>
      }
      hint={`${proxy.namespace} · ${t(proxy.kind === "gateway" ? "gateway" : direction)}`}
      actions={
        <Link className="link" href={proxyHref(proxy.id)}>
          {t("its-proxy")}
        </Link>
      }
      data-testid={`explain-${direction}`}
    >
      <ol className={styles.steps}>
        {before}
        <Step name={t("listener")}>
          {listener ? (
            <>
              <span className="mono">{listener.name}</span> <span className={styles.quiet}>{listener.address}</span>
              <small>{t(`listener-${listener.by}`)}</small>
            </>
          ) : (
            <End side={side} />
          )}
        </Step>
        {side.chains.length > 0 && (
          <Step name={t("chain")}>
            <Chains side={side} />
          </Step>
        )}
        {routeConfiguration && (
          <Step name={t("virtual-host")}>
            {virtualHost ? (
              <>
                <span className="mono">{virtualHost.name}</span>
                <small>
                  {t.rich("by-domain", {
                    authority: () => <code>{request.authority}</code>,
                    domain: () => <code>{virtualHost.domain}</code>,
                    among: virtualHost.among,
                    routes: routeConfiguration,
                  })}
                </small>
              </>
            ) : (
              <End side={side} />
            )}
          </Step>
        )}
        {side.routes.length > 0 && (
          <Step name={t("routes")}>
            <RouteSteps routes={side.routes} />
          </Step>
        )}
        <FilterSteps filters={side.filters} />
        {side.forward && direction === "outbound" && (
          <Step name={t("applies")}>
            <ForwardFacts forward={side.forward} />
          </Step>
        )}
        {side.clusters.map((cluster) => (
          <Step key={cluster.name} name={t("cluster")}>
            <ClusterStep cluster={cluster} />
          </Step>
        ))}
        {side.mirrors.map((cluster) => (
          <Step key={`mirror ${cluster.name}`} name={t("mirror-to")}>
            <ClusterStep cluster={cluster} />
          </Step>
        ))}
        {side.end.kind !== "forwarded" && (
          <Step name={t("end")}>
            <End side={side} />
          </Step>
        )}
      </ol>
    </Panel>
  );
}

/** The same at a proxy that the request reaches, and how it is let in. */
export function DestinationPanel({ destination }: { destination: ExplainedDestination }) {
  const t = useTranslations("explain");
  const { endpoint, tls, identity, mirrored, peerAuthentication } = destination;
  return (
    <SidePanel
      side={destination.side}
      before={
        <Step name={t(mirrored ? "arrives-copy" : "arrives")}>
          <span className="mono">{endpoint}</span> {t(`tls-${tls}`)}{" "}
          {identity && <span className={`mono ${styles.quiet}`}>{identity}</span>}
          <small>
            {t("takes", { mode: peerAuthentication.mode })}{" "}
            {peerAuthentication.origin && <OriginLink origin={peerAuthentication.origin} />}
          </small>
        </Step>
      }
    />
  );
}

/** Only one is no choice: its name says all. */
function Chains({ side }: { side: ExplainedSide }) {
  const t = useTranslations("explain");
  return (
    <ul className={styles.plain}>
      {side.chains.map((chain) => (
        <li key={chain.name}>
          <span className={styles.head}>
            <Mark ok={chain.chosen} /> <span className="mono">{chain.name}</span>
            <span className={styles.quiet}>
              {t(`serves-${chain.serves}`)} {chain.tls !== "none" && `· ${t(`ends-${chain.tls}`)}`}
              {chain.outdone && `· ${t("outdone")}`}
            </span>
            {chain.origin && <OriginLink origin={chain.origin} />}
          </span>
          <CheckList checks={chain.checks} />
        </li>
      ))}
    </ul>
  );
}
