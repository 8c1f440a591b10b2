"use client";
import { useTranslations } from "use-intl";
import { type RateLimitUse, serviceLimitDomain } from "../../server/contract/index.ts";
import { useRateLimits } from "../lib/queries.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import styles from "./tabs.module.css";

/** The global limits of a service (RateLimit), each with how much of it is used in its window; nothing while none was asked for. */
export function LimitsPanel({ hostname }: { hostname: string }) {
  const t = useTranslations("service");
  const beginning = `service=${hostname}:`;
  const limits = (useRateLimits().data?.limits ?? []).filter(
    ({ domain, descriptor }) => domain === serviceLimitDomain && descriptor.startsWith(beginning),
  );
  if (limits.length === 0) return null;
  const columns: Column<RateLimitUse>[] = [
    {
      key: "for",
      header: t("limit-for"),
      phone: "title",
      cell: ({ descriptor }) => (
        <span className="mono">:{descriptor.slice(beginning.length).replaceAll(",", " ")}</span>
      ),
    },
    {
      key: "use",
      header: t("limit-use"),
      cell: ({ count, requestsPerUnit, unit }) => (
        <span className={count > requestsPerUnit ? styles.lost : undefined}>
          {t("limit-of", { count, limit: requestsPerUnit, unit: t(`limit-${unit}`) })}
        </span>
      ),
    },
    { key: "ends", header: t("limit-ends"), cell: ({ endMs }) => <Moment ms={endMs} /> },
  ];
  return (
    <div className={styles.limits}>
      <Panel title={t("limits")} hint={t("limits-hint")} flush>
        <DataTable
          caption={t("limits")}
          columns={columns}
          rows={limits.slice(0, shownAtMost)}
          rowKey={({ descriptor, unit }) => `${descriptor} ${unit}`}
        />
      </Panel>
    </div>
  );
}

const shownAtMost = 50;
