import type { MetricSeries } from "../../../telemetry/metric-record.ts";
import { type Columns, text } from "./column.ts";

export const metricSeriesColumns: Columns<MetricSeries> = [
  text("name", ({ name }) => name),
  text("kind", ({ kind }) => kind),
  text("unit", ({ unit }) => unit),
  text("description", ({ description }) => description),
  text("service", ({ service }) => service),
  text("instance", ({ instance }) => instance),
  text("labels", ({ labels }) => JSON.stringify(labels)),
];
