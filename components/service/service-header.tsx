"use client";
import { IconBolt, IconListSearch } from "@tabler/icons-react";
import { useLocale, useTranslations } from "use-intl";
import { ruleLayerOf, type ServiceListItem, type ServiceMetrics } from "../../server/contract/index.ts";
import { logsOfHref, proposeHref, tracesOfHref } from "../lib/links.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { DangerButton } from "../ui/danger-button.tsx";
import { formatMoment } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Pill } from "../ui/pill.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { isYoung } from "./covered.ts";
import styles from "./service-page.module.css";
import { serviceWindowSec } from "./service-window.ts";

export interface ServiceHeaderProps {
  service: { namespace: string; name: string };
  item: ServiceListItem | undefined;
  metrics: ServiceMetrics | undefined;
}

export function ServiceHeader({ service, item, metrics }: ServiceHeaderProps) {
  const t = useTranslations("service");
  const locale = useLocale();
  const url = useUrlState();
  const { range, set, compare } = useUrlRange(serviceWindowSec);
  const ports = item?.ports.map(({ protocol, port }) => `${protocol.toLowerCase()} ${port}`).join(", ");
  return (
    <PageHeader
      before={<HealthMark health={item?.health ?? "idle"} />}
      title={service.name}
      hint={
        <span className="mono">
          {service.namespace}
          {ports && ` · ${ports}`}
        </span>
      }
    >
      {item && item.versions.length > 0 && (
        <span className={styles.versions}>
          <Pill>{t("versions", { count: item.versions.length })}</Pill>
        </span>
      )}
      {metrics && isYoung(metrics) && (
        // The server's time zone may be another.
        <span className="muted" data-testid="data-since" suppressHydrationWarning>
          {t("since", { time: formatMoment(metrics.dataFromMs, locale) })}
        </span>
      )}
      <Pill
        href={tracesOfHref({ app: service.name, namespace: service.namespace }, "slow")}
        data-testid="service-traces"
      >
        {t("traces")}
      </Pill>
      <TimeRangePicker value={range} onChange={set} compare={compare} />
      <Pill href={logsOfHref({ service: item?.hostname ?? service.name })} data-testid="service-logs">
        <IconListSearch size={13} aria-hidden />
        {t("logs")}
      </Pill>
      <Pill href={proposeHref(service.namespace, service.name)} data-testid="service-propose">
        {t("propose")}
      </Pill>
      {/* In a connection there is no request that could be failed. */}
      {!(item && ruleLayerOf(item) === "tcp") && (
        <DangerButton
          leftSection={<IconBolt size={15} aria-hidden />}
          onClick={() => url.set({ fault: "new" }, "push")}
          data-testid="inject-fault"
        >
          {t("inject")}
        </DangerButton>
      )}
    </PageHeader>
  );
}
