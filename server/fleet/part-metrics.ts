import { nanos, type ResourceMetrics, sendMetrics, textAttribute as text } from "../lib/otlp-metrics.ts";
import type { FleetStatus } from "./fleet-api.ts";

type Parts = FleetStatus["parts"];

export interface PartMetricsOptions {
  /** The collector's HTTP port. */
  port: number;
  parts(): Parts;
  everyMs?: number;
}

const defaultEveryMs = 10_000;

/**
 * Tells the collector what each part's process takes, over OTLP, as the kernel has it: so an Envoy and a bundled proxy are measured alike. What it does not take is
 * told by the next time. https://opentelemetry.io/docs/specs/semconv/system/process-metrics/
 * @returns stops it
 */
export function sendPartMetrics({ port, parts, everyMs = defaultEveryMs }: PartMetricsOptions): () => void {
  const send = () =>
    sendMetrics(
      port,
      parts().flatMap((part) => resourceOf(part, Date.now()) ?? []),
    );
  const timer = setInterval(() => void send(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function resourceOf(
  { name, kind, node, usage, startedAt, pid }: Parts[number],
  nowMs: number,
): ResourceMetrics | undefined {
  if (usage === null || pid === null) return undefined;
  const timeUnixNano = nanos(nowMs);
  const point = { timeUnixNano, attributes: [] };
  return {
    resource: {
      attributes: [
        text("service.name", name),
        // The proxy's own metrics come under the same instance.
        text("service.instance.id", node ?? name),
        text("limpid.part", kind),
      ],
    },
    scopeMetrics: [
      {
        metrics: [
          {
            name: "process.cpu.time",
            description: "Processor time of the process",
            unit: "s",
            sum: {
              isMonotonic: true,
              aggregationTemporality: 2,
              dataPoints: [{ ...point, startTimeUnixNano: nanos(startedAt), asDouble: usage.cpuMs / 1000 }],
            },
          },
          {
            name: "process.memory.usage",
            description: "Resident memory of the process",
            unit: "By",
            gauge: { dataPoints: [{ ...point, asDouble: usage.memoryBytes }] },
          },
        ],
      },
    ],
  };
}
