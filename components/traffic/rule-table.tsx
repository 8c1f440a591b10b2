"use client";
import { useLocale, useTranslations } from "use-intl";
import type { RouteRule, ServiceMetrics, Signals } from "../../server/contract/index.ts";
import { LatencyP95, SuccessShare } from "../health/signals.tsx";
import { coveredSec, firstStep } from "../service/covered.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatSpan } from "../ui/format.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { versionColor } from "../ui/version-color.ts";
import { LockButton } from "./lock-button.tsx";
import styles from "./rule-card.module.css";
import type { WeightPart } from "./rule-parts.ts";
import type { Drafts } from "./use-drafts.ts";
import { WeightInput } from "./weight-input.tsx";

export interface RuleTableProps {
  rule: RouteRule;
  parts: readonly WeightPart[];
  inForce: readonly WeightPart[];
  drafts: Drafts;
  metrics: ServiceMetrics | undefined;
  observed: Record<string, number>;
  measured: boolean;
  /** What is shared are connections: they have no latency. */
  ofConnections: boolean;
  editable: boolean;
}

/** A line per version: what it should get, what it gets, and how it does. */
export function RuleTable(props: RuleTableProps) {
  const t = useTranslations("traffic");
  const columns = useColumns(props);
  return (
    <div className={styles.table}>
      <DataTable
        caption={t("table", { rule: props.rule.index + 1 })}
        columns={columns}
        rows={props.parts}
        rowKey={({ subset }) => subset}
        rowProps={({ version }) => ({ "data-version": version })}
      />
    </div>
  );
}

function useColumns({
  rule,
  parts,
  drafts,
  metrics,
  observed,
  measured,
  ofConnections,
  editable,
}: RuleTableProps): Column<WeightPart>[] {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const signals = (version: string) => metrics?.totals[version];
  const first = metrics ? firstStep(metrics) : 0;
  const latency = (version: string) =>
    metrics?.series.find((one) => one.version === version)?.latencyMsP95.slice(first) ?? [];
  const top = Math.max(1, ...parts.flatMap(({ version }) => latency(version).map((value) => value ?? 0)));
  const span = metrics ? formatSpan(coveredSec(metrics), locale) : "";
  const rates: Column<WeightPart>[] = [
    {
      key: "now",
      header: t("col-now"),
      align: "right",
      cell: ({ version }) => <NumberWithUnit value={metrics ? (observed[version] ?? 0) : null} kind="share" />,
    },
    {
      key: "rps",
      header: t(ofConnections ? "col-connections" : "col-rps", { span }),
      align: "right",
      cell: ({ version }) => <NumberWithUnit value={signals(version)?.requestRate ?? null} kind="rps" bare />,
    },
  ];
  const success: Column<WeightPart> = {
    key: "success",
    header: t("col-success"),
    align: "right",
    cell: ({ version }) => <SuccessShare signals={signals(version) ?? silent} />,
  };
  const latencies: Column<WeightPart>[] = [
    {
      key: "p95",
      header: t("col-p95"),
      align: "right",
      cell: ({ version }) => <LatencyP95 signals={signals(version) ?? silent} />,
    },
    {
      key: "spark",
      header: t("col-spark", { span }),
      phone: "hidden",
      width: 170,
      cell: ({ version }) => (
        <Sparkline
          values={latency(version)}
          max={top}
          color={versionColor(version)}
          width={150}
          label={t("spark-of", { version, span })}
        />
      ),
    },
  ];
  return [
    {
      key: "version",
      header: t("col-version"),
      phone: "title",
      cell: ({ version }) => <VersionChip version={version} />,
    },
    ...(editable
      ? [
          {
            key: "weight",
            header: t("col-weight"),
            phone: "title" as const,
            cell: (part: WeightPart) => (
              <span className={styles.weight}>
                <WeightInput
                  parts={parts}
                  index={parts.indexOf(part)}
                  onChange={(next) => drafts.change(rule.index, next)}
                />
                {parts.length > 2 && (
                  <LockButton part={part} onToggle={() => drafts.toggleLock(rule.index, part.subset)} />
                )}
              </span>
            ),
          },
        ]
      : []),
    ...(measured ? [...rates, success, ...(ofConnections ? [] : latencies)] : []),
  ];
}

const silent: Signals = {
  requestRate: 0,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
};
