"use client";
import { useTranslations } from "use-intl";
import type { MetricInfo, ServiceListItem } from "../../server/contract/index.ts";
import { metricHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { Panel } from "../ui/panel.tsx";
import { useMetricCatalog } from "./metric-queries.ts";
import styles from "./metrics.module.css";
import { SaturationChart } from "./proxy-charts.tsx";

/** More than these are better looked for than scrolled through. */
const shown = 6;

/** What a service's own application tells of itself, beside what its proxies do. */
export function OwnMetrics({ item }: { item: ServiceListItem }) {
  const t = useTranslations("metrics");
  const catalog = useMetricCatalog().data?.metrics ?? [];
  const names = new Set(
    [item.name, ...item.versions.flatMap(({ apps = [], workloads }) => [...apps, ...workloads])].flatMap((name) => [
      name,
      `${name}.${item.namespace}`,
    ]),
  );
  const own = catalog.flatMap((metric): { metric: MetricInfo; service: string }[] => {
    const service = metric.services.find((one) => names.has(one));
    return metric.from === "application" && service !== undefined ? [{ metric, service }] : [];
  });
  if (own.length === 0) return null;
  return (
    <div className={styles.wide}>
      <Panel title={t("own")} hint={t("own-hint")} data-testid="own-metrics">
        <div className={styles.charts}>
          {own.slice(0, shown).map(({ metric, service }) => (
            <SaturationChart
              key={metric.name}
              title={
                <Link className="link" href={metricHref(metric.name, { service })}>
                  {metric.name}
                </Link>
              }
              name={metric.name}
              query={{ name: metric.name, service, by: ["instance"] }}
              sync="service"
            />
          ))}
        </div>
      </Panel>
    </div>
  );
}
