import { systemClock } from "../../lib/clock.ts";
import type { AdsClient } from "../../xds/client/ads-client.ts";
import { ask } from "../probe/ask.ts";
import { readProbe } from "../probe/read-probe.ts";
import { ReadinessProbe } from "../probe/readiness-probe.ts";
import type { Parts } from "./parts.ts";

/** Probes the workload that the proxy is beside, where its bootstrap says how, and tells the control plane; undefined: it doesn't say. */
export function startWorkloadProbe(
  { config, options, readiness }: Parts,
  client: AdsClient,
): ReadinessProbe | undefined {
  const found = readProbe(config.node);
  if (found === undefined) return undefined;
  const { method, schedule, timeoutMs } = found;
  const probe = new ReadinessProbe({
    clock: systemClock,
    schedule,
    // Whom the proxy can't serve yet is not well, whatever the application says.
    ask: async () => (readiness.state === "LIVE" ? ask(method, timeoutMs) : "the proxy is not ready"),
    onChange(problem) {
      options.logger.info({ problem }, problem === undefined ? "the workload is well" : "the workload is not well");
      client.reportHealth(problem);
    },
  });
  probe.start();
  return probe;
}
