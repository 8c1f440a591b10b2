"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { type MeshStatus, type ProxyList, type ServiceListItem, serviceTitle } from "../../server/contract/index.ts";
import { CallRate } from "../health/call-rate.tsx";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import {
  certificatesHref,
  configHref,
  faultsHref,
  outOfSyncHref,
  proxyHref,
  refusalsHref,
  serviceHref,
} from "../lib/links.ts";
import { LostWords } from "../proxy-sync/lost-words.tsx";
import { useHealthReason } from "../services/health-reason.tsx";
import { NoServices } from "../services/no-services.tsx";
import { type HealthLevel, HealthMark } from "../ui/health-mark.tsx";
import { Link } from "../ui/link.tsx";
import styles from "./overview.module.css";
import { certificatesOf, troubledServices } from "./trouble.ts";

export interface TroubleListProps {
  services: readonly ServiceListItem[];
  status: MeshStatus | undefined;
  proxies: ProxyList | undefined;
}

const mostShown = 12;

/** What is wrong, the gravest first, each with its reason and the way to it; calm where nothing is. */
export function TroubleList({ services, status, proxies }: TroubleListProps) {
  const t = useTranslations("overview");
  const reason = useHealthReason();
  const troubled = troubledServices(services);
  const behind = new Set(services.flatMap(({ missingProxies = [] }) => missingProxies.map(({ id }) => id)));
  // Those of no service: gateways, and who only calls.
  const lost = proxies?.proxies.filter(({ connected, id }) => !connected && !behind.has(id)) ?? [];
  const late = status?.security?.expiring ?? (proxies ? certificatesOf(proxies).late : 0);
  const turnedAway = status?.security?.turnedAway ?? 0;
  const refused = status?.refusedObjects ?? 0;
  const lagging = status?.proxies.lagging ?? 0;
  const items: { key: string; item: ReactNode }[] = [
    ...troubled.map((service) => ({
      key: service.hostname,
      item: (
        <Item
          health={service.health}
          name={serviceTitle(service)}
          href={serviceHref(service)}
          where={service.namespace}
        >
          {service.health !== "healthy" && service.health !== "idle" && <p>{reason(service.signals)}</p>}
          {service.missingProxies?.map((proxy) => (
            <p key={proxy.id}>
              {t("proxy-of", { proxy: proxy.name })} <LostWords proxy={proxy} />
            </p>
          ))}
          <Numbers service={service} />
        </Item>
      ),
    })),
    ...lost.map((proxy) => ({
      key: proxy.id,
      item: (
        <Item health="failing" name={proxy.name} href={proxyHref(proxy.id)} where={t("proxy")}>
          <p>
            <LostWords proxy={proxy} />
          </p>
        </Item>
      ),
    })),
    ...(refused > 0
      ? [{ key: "refused", item: <Item health="failing" name={t("refused", { count: refused })} href={configHref} /> }]
      : []),
    ...(lagging > 0
      ? [
          {
            key: "lagging",
            item: <Item health="degraded" name={t("lagging", { count: lagging })} href={outOfSyncHref} />,
          },
        ]
      : []),
    ...(late > 0
      ? [
          {
            key: "late",
            item: <Item health="degraded" name={t("certificates-late", { count: late })} href={certificatesHref} />,
          },
        ]
      : []),
    ...(turnedAway > 0
      ? [
          {
            key: "turned-away",
            item: <Item health="failing" name={t("turned-away", { count: turnedAway })} href={refusalsHref} />,
          },
        ]
      : []),
    ...((status?.faults ?? 0) > 0
      ? [
          {
            key: "faults",
            item: <Item health="degraded" name={t("faults", { count: status?.faults ?? 0 })} href={faultsHref} />,
          },
        ]
      : []),
  ];
  if (items.length === 0) return <Calm services={services} status={status} />;
  return (
    <>
      <ul className={styles.list} data-testid="trouble-list">
        {items.slice(0, mostShown).map(({ key, item }) => (
          <li key={key} data-trouble={key}>
            {item}
          </li>
        ))}
      </ul>
      {items.length > mostShown && <p className={styles.calm}>{t("more", { count: items.length - mostShown })}</p>}
    </>
  );
}

function Calm({ services, status }: Pick<TroubleListProps, "services" | "status">) {
  const t = useTranslations("overview");
  const called = services.filter(({ health }) => health === "healthy").length;
  const known = status?.controlPlane.reachable !== false;
  if (known && services.length === 0) return <NoServices />;
  return (
    <p className={styles.calm}>
      <HealthMark health={known && called > 0 ? "healthy" : "idle"} silent />
      {t(known ? "calm" : "calm-unknown", { count: called, total: services.length })}
    </p>
  );
}

interface ItemProps {
  health: HealthLevel;
  name: string;
  href: string;
  where?: string;
  children?: ReactNode;
}

function Item({ health, name, href, where, children }: ItemProps) {
  return (
    <>
      <HealthMark health={health === "healthy" || health === "idle" ? "degraded" : health} />
      <span>
        <Link href={href}>{name}</Link>
        {where && <span className={`muted ${styles.where}`}>{where}</span>}
      </span>
      <span />
      {children && <div className={styles.reason}>{children}</div>}
    </>
  );
}

function Numbers({ service }: { service: ServiceListItem }) {
  const { signals } = service;
  if (signals.requestRate === 0) return null;
  return (
    <span className={styles.numbers}>
      <CallRate service={service} />
      <span>
        <ErrorShare signals={signals} />
      </span>
      <span>
        p95 <LatencyP95 signals={signals} />
      </span>
    </span>
  );
}
