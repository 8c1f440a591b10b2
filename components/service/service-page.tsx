"use client";
import { Tabs } from "@mantine/core";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import {
  findService,
  type Routing,
  type Saturation,
  type ServiceList,
  type ServiceMetrics,
  serviceTitle,
  type ThresholdSettings,
} from "../../server/contract/index.ts";
import { BurningFaults } from "../fault/burning-faults.tsx";
import { parseSource } from "../fault/fault-draft.ts";
import { FaultModal } from "../fault/fault-modal.tsx";
import { ThresholdsDialog } from "../health/thresholds-dialog.tsx";
import type { Settled } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { servicesHref } from "../lib/links.ts";
import { useRouting, useServiceMetrics, useServices } from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import type { ServiceObjects } from "../traffic/editor/use-service-objects.ts";
import { TrafficTab } from "../traffic/traffic-tab.tsx";
import { Link } from "../ui/link.tsx";
import { Page } from "../ui/page-header.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { sameRange, type TimeRange } from "../ui/time-range.ts";
import { ConfigTab } from "./config-tab.tsx";
import { EndpointsTab } from "./endpoints-tab.tsx";
import { MetricsTab } from "./metrics-tab.tsx";
import { MissingProxyNotice } from "./missing-proxy-notice.tsx";
import { ServiceHeader } from "./service-header.tsx";
import styles from "./service-page.module.css";
import { serviceWindowSec } from "./service-window.ts";

const serviceTabs = ["traffic", "metrics", "endpoints", "config"] as const;
type ServiceTab = (typeof serviceTabs)[number];

export interface ServicePageProps {
  /** `name` is its hostname. */
  service: { namespace: string; name: string };
  initialRange: TimeRange;
  services: Promise<Settled<ServiceList>>;
  metrics: Promise<Settled<ServiceMetrics>>;
  routing: Promise<Settled<Routing>>;
  /** Where the address asks for its editor. */
  objects: Promise<Settled<ServiceObjects>> | undefined;
  /** Null: the address does not ask for it. */
  saturation: Promise<Settled<Saturation>> | null;
  /** Likewise. */
  thresholds: Promise<Settled<ThresholdSettings>> | null;
}

/** One service. Tab and window are in the URL. */
export function ServicePage({ service, initialRange, ...first }: ServicePageProps) {
  const t = useTranslations("service");
  const textOf = useErrorText();
  const url = useUrlState();
  const { range, comparison } = useUrlRange(serviceWindowSec);
  const isFirst = sameRange(range, initialRange);
  const [services0, metrics0, routing0] = [use(first.services), use(first.metrics), use(first.routing)];
  const services = useServices(range.windowSec, isFirst ? services0 : undefined, true, range.at);
  const metrics = useServiceMetrics({ ...service, ...range }, isFirst ? metrics0 : undefined);
  const routing = useRouting(service, routing0);
  const found = services.data && findService(services.data.services, service.namespace, service.name);
  const title = found ? serviceTitle(found) : shortName(service);
  const tab = serviceTabs.find((one) => one === url.get("tab")) ?? "traffic";
  const select = (next: string | null) => url.set({ tab: next === "traffic" ? null : next }, "push");
  if (services.data && !found && routing.error?.code === "NOT_FOUND")
    return <Unknown name={`${service.namespace}/${title}`} />;
  const content: Record<ServiceTab, ReactNode> = {
    traffic: (
      <TrafficTab
        service={service}
        title={title}
        routing={routing}
        metrics={metrics.data}
        item={found}
        services={services.data?.services ?? []}
        objects={first.objects && use(first.objects)}
      />
    ),
    metrics: (
      <MetricsTab
        service={service}
        name={title}
        item={found}
        metrics={metrics}
        range={range}
        comparison={comparison}
        saturation={isFirst && first.saturation ? use(first.saturation) : undefined}
      />
    ),
    endpoints: <EndpointsTab item={found} metrics={metrics.data} />,
    config: <ConfigTab service={{ namespace: service.namespace, name: title }} routing={routing} />,
  };
  return (
    <Page>
      <ServiceHeader service={{ namespace: service.namespace, name: title }} item={found} metrics={metrics.data} />
      {found?.missingProxies?.map((proxy) => (
        <MissingProxyNotice key={proxy.id} proxy={proxy} />
      ))}
      <BurningFaults service={service} title={title} />
      <Tabs
        value={tab}
        onChange={select}
        keepMounted={false}
        classNames={{ list: styles.list ?? "", tab: styles.tab ?? "" }}
      >
        <Tabs.List aria-label={title}>
          {serviceTabs.map((one) => (
            <Tabs.Tab key={one} value={one} data-testid={`tab-${one}`}>
              {t(one)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {metrics.error && (
          <div className={styles.notice}>
            <Notice tone="warn">{textOf(metrics.error)}</Notice>
          </div>
        )}
        <Tabs.Panel value={tab}>{content[tab]}</Tabs.Panel>
      </Tabs>
      {url.get("thresholds") === "edit" && (
        <ThresholdsDialog
          service={{ ...service, title }}
          initial={first.thresholds}
          onClose={() => url.set({ thresholds: null })}
        />
      )}
      {url.get("fault") === "new" && (
        <FaultModal
          service={service}
          title={title}
          from={parseSource(url.get("from"))}
          onClose={() => url.set({ fault: null, from: null })}
        />
      )}
    </Page>
  );
}

/** What a hostname of the cluster is called for short, while the registry can't be asked. */
const shortName = ({ namespace, name }: ServicePageProps["service"]): string => {
  const at = name.indexOf(`.${namespace}.svc.`);
  return at > 0 ? name.slice(0, at) : name;
};

function Unknown({ name }: { name: string }) {
  const t = useTranslations("service");
  return (
    <Page>
      <EmptyState
        title={t("unknown", { name })}
        action={
          <Link className="link" href={servicesHref}>
            {t("to-services")}
          </Link>
        }
      >
        {t("unknown-text")}
      </EmptyState>
    </Page>
  );
}
