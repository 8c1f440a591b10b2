import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { HttpGrpcAccessLogConfigSchema } from "../../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { logTags } from "../../wire/access-log-names.ts";
import { changedLabels, constantOf, type MetricChanges, parseMetricChanges } from "../../wire/metric-rules.ts";
import { cel } from "../format/operators/cel/cel.ts";
import { compileOperator } from "../format/operators/operators.ts";
import type { RequestRecord } from "../record.ts";

/** Of Istio's standard metrics those that are counted here, by Istio's names. */
export const countedMetrics = ["REQUEST_COUNT", "REQUEST_DURATION", "REQUEST_SIZE", "RESPONSE_SIZE"] as const;
export type CountedMetric = (typeof countedMetrics)[number];

type Labels = readonly (readonly [string, string])[];

/** What Telemetry changes of the metrics of one listener's requests. */
export interface MetricLabels {
  /** What of a request its labels go by, beside what they always go by. */
  keyOf(record: RequestRecord): string;
  /** Undefined: the metric is not counted. */
  labelsOf(metric: CountedMetric, labels: Labels, record: RequestRecord): Labels | undefined;
}

/** Values are clients' words. */
const maxValueCharacters = 256;
/** What Istio shows for an expression without a value. */
const unknown = "unknown";

/** Undefined: nothing is changed. */
export function metricLabels(logs: readonly AccessLog[]): MetricLabels | undefined {
  const changes = changesIn(logs);
  if (changes === undefined || changes.size === 0) return undefined;
  const expressions = [...changes.values()].flatMap(({ tags }) =>
    tags.flatMap(([, text]) => (text === null || constantOf(text) !== undefined ? [] : [text])),
  );
  const values = new Map([...new Set(expressions)].map((text) => [text, readerOf(text)]));
  return {
    keyOf: (record) => [...values.values()].map((value) => value(record)).join("\n"),
    labelsOf: (metric, labels, record) => {
      const change = changes.get(metric);
      if (change === undefined) return labels;
      return change.disabled ? undefined : changedLabels(labels, change, (text) => values.get(text)?.(record));
    },
  };
}

/** They stand in the mesh's own log, which always is. */
function changesIn(logs: readonly AccessLog[]): MetricChanges | undefined {
  for (const { configType } of logs) {
    const log = configType.case && anyUnpack(configType.value, HttpGrpcAccessLogConfigSchema);
    const tag = log?.commonConfig?.customTags.find((one) => one.tag === logTags.metrics);
    if (tag?.type.case === "literal") return parseMetricChanges(tag.type.value.value);
  }
  return undefined;
}

/** An expression that this proxy can't work out costs its label, and no listener. */
function readerOf(expression: string): (record: RequestRecord) => string {
  try {
    const value = cel(withoutText(expression), compileOperator);
    return (record) => String(value(record) ?? unknown).slice(0, maxValueCharacters);
  } catch {
    return () => unknown;
  }
}

/** `string(…)` around all of it: a label is a text anyway, and Envoy's own expressions have no such function. */
function withoutText(expression: string): string {
  const [, inner = ""] = /^\s*string\((.*)\)\s*$/s.exec(expression) ?? [];
  let depth = 0;
  for (const character of inner) {
    depth += character === "(" ? 1 : character === ")" ? -1 : 0;
    if (depth < 0) return expression;
  }
  return inner === "" || depth !== 0 ? expression : inner;
}
