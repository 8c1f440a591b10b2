"use client";
import { useTranslations } from "use-intl";
import type { MetricGroup, MetricResult } from "../../server/contract/index.ts";
import type { ChartMark } from "../ui/chart-marks.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import type { ChartSeries } from "../ui/live-chart.tsx";
import { LoadedChart } from "../ui/loaded-chart.tsx";
import { EmptyState } from "../ui/states.tsx";
import { Change } from "./change.tsx";
import { atPlacesOf, changeOf } from "./earlier-values.ts";
import { Measure } from "./measure.tsx";
import { chartKindOf } from "./metric-units.ts";
import styles from "./metrics.module.css";
import { seriesColor } from "./series-color.ts";

const chartHeight = 240;

export interface Earlier {
  result: MetricResult;
  distanceSec: number;
}

export interface MetricViewProps {
  result: MetricResult;
  earlier?: Earlier | undefined;
  marks?: readonly ChartMark[];
  sync?: string;
  height?: number;
  /** Without the table beside it, where the chart has a line or two. */
  chartOnly?: boolean;
  title: string;
}

/** A metric over time as lines, and each line's figures in a table beside them. */
export function MetricView({ result, earlier, marks, sync, title, height = chartHeight, ...how }: MetricViewProps) {
  const t = useTranslations("metrics");
  if (result.groups.length === 0) return <EmptyState title={t("no-values")}>{t("no-values-text")}</EmptyState>;
  const chart = (
    <LoadedChart
      fromMs={result.fromMs}
      stepSec={result.stepSec}
      series={linesOf(result, earlier, t("earlier"))}
      kind={chartKindOf(result)}
      height={height}
      label={title}
      gaps={result.gaps ?? []}
      {...(marks && { marks })}
      {...(sync !== undefined && { sync })}
    />
  );
  if (how.chartOnly) return chart;
  return (
    <>
      {chart}
      <GroupTable result={result} earlier={earlier} title={title} />
      {result.more > 0 && <p className={styles.more}>{t("more", { count: result.more })}</p>}
    </>
  );
}

/** What tells a line from the others. */
export const groupName = ({ labels }: Pick<MetricGroup, "labels">, none: string): string =>
  Object.values(labels)
    .map((value) => shortInstance(value) || none)
    .join(" · ") || none;

/** A proxy's node id is long; what people call it stands in its third part. */
export const shortInstance = (value: string): string => /^[^~]+~[^~]*~([^~]+)~/.exec(value)?.[1] ?? value;

function linesOf(result: MetricResult, earlier: Earlier | undefined, all: string): ChartSeries[] {
  const before = new Map(earlier?.result.groups.map((group) => [JSON.stringify(group.labels), group]));
  const lines = result.groups.map((group, index) => ({
    label: groupName(group, result.fn),
    color: seriesColor(index),
    values: group.values,
    fill: result.groups.length === 1,
  }));
  const dashed = result.groups.flatMap((group, index) => {
    const was = before.get(JSON.stringify(group.labels));
    if (!was || !earlier) return [];
    const { fromMs, stepSec } = earlier.result;
    const values = atPlacesOf(
      { fromMs, stepSec, values: was.values },
      { ...result, count: group.values.length },
      earlier.distanceSec,
    );
    return [{ label: `${groupName(group, result.fn)} · ${all}`, color: seriesColor(index), values, dash: true }];
  });
  return [...lines, ...dashed];
}

function GroupTable({ result, earlier, title }: Pick<MetricViewProps, "result" | "earlier" | "title">) {
  const t = useTranslations("metrics");
  const kind = chartKindOf(result);
  const before = new Map(earlier?.result.groups.map((group) => [JSON.stringify(group.labels), group]));
  const keyOf = ({ labels }: MetricGroup) => JSON.stringify(labels);
  const colors = new Map(result.groups.map((group, index) => [keyOf(group), seriesColor(index)]));
  const figure = (key: "latest" | "mean" | "max"): Column<MetricGroup> => ({
    key,
    header: t(`col-${key}`),
    align: "right",
    cell: (group) => <Measure value={group[key]} kind={kind} />,
  });
  const columns: Column<MetricGroup>[] = [
    {
      key: "group",
      header: t("col-group"),
      phone: "title",
      cell: (group) => (
        <span className={styles.group}>
          <i style={{ background: colors.get(keyOf(group)) }} aria-hidden />
          <span title={Object.values(group.labels).join(" · ")}>{groupName(group, t("all-series"))}</span>
        </span>
      ),
    },
    figure("latest"),
    figure("mean"),
    figure("max"),
    ...(earlier
      ? [
          {
            key: "change",
            header: t("col-change"),
            align: "right" as const,
            cell: (group: MetricGroup) => <Change of={changeOf(group.mean, before.get(keyOf(group))?.mean)} />,
          },
        ]
      : []),
  ];
  return (
    <div className={styles.table} data-testid="metric-table">
      <DataTable caption={title} columns={columns} rows={result.groups} rowKey={keyOf} dense />
    </div>
  );
}
