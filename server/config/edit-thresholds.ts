import { formatGoDuration } from "../lib/go-duration.ts";
import {
  healthAnnotations,
  isJudgedRate,
  latencyAnnotation,
  type PartialThresholds,
  rateAnnotation,
} from "./health-annotations.ts";
import type { ConfigObject } from "./object.ts";

/** The object with what its annotations say of health made so; what is left out says nothing of its own. Entries of the annotation that are for others stay. */
export function withThresholds(object: ConfigObject, thresholds: PartialThresholds): ConfigObject {
  const { [rateAnnotation]: rate = "", [latencyAnnotation]: _, ...others } = object.metadata.annotations ?? {};
  const kept = rate.split(";").filter((entry) => entry.trim() !== "" && !isJudgedRate(entry));
  const own = (["errors", "clientErrors"] as const).flatMap((by) => {
    const limits = thresholds[by];
    return limits ? `${by === "errors" ? "5XX" : "4XX"},${percent(limits.degraded)},${percent(limits.failing)}` : [];
  });
  const rates = [...own, ...kept].join(";");
  const { latencyMsP95: latency } = thresholds;
  const annotations = {
    ...others,
    ...(rates && { [rateAnnotation]: rates }),
    ...(latency && {
      [latencyAnnotation]: `${formatGoDuration(latency.degraded)},${formatGoDuration(latency.failing)}`,
    }),
  };
  const { annotations: __, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
  };
}

/** What an object itself says of health. */
export const thresholdsIn = (object: ConfigObject | undefined): PartialThresholds =>
  healthAnnotations(object?.metadata.annotations).thresholds;

/** `0.1`, `12.5`, `10`. */
const percent = (share: number): string => String(Number((share * 100).toFixed(4)));
