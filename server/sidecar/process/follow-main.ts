import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ClusterStatsSchema } from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import { LoadStatsResponseSchema } from "../../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import type { ReceivedResource } from "../../xds/client/delta-state.ts";
import type { TypeUrl } from "../../xds/types.ts";
import type { WorkerLink } from "../workers/worker-link.ts";
import { LocalLoads } from "../xds/local-loads.ts";
import { resetCounters, workerReport } from "./counts.ts";
import type { Parts } from "./parts.ts";

interface Life {
  reopenLogs(): void;
  stop(handedOver?: boolean): void;
}

/** A worker hears from the main process what that has from discovery and from the admin. */
export function followMain(parts: Parts, link: WorkerLink, life: Life): void {
  const { config, options, plane, readiness, resources, runtime } = parts;
  if (config.ads) resources.attach({ subscribe() {}, unsubscribe() {} }, config.ads);
  const loads = new LocalLoads(plane.clusterMap);
  link.start(
    {
      resources: ({ typeUrl, added, removed }) => take(parts, typeUrl, added, removed),
      report: ({ id, pages }) => link.say({ kind: "report", id, report: workerReport(parts, pages) }),
      loads: ({ id, asked, what }) => {
        const message = fromBinary(LoadStatsResponseSchema, asked);
        if (what !== "report") loads.track(message, what === "begin");
        const told = what === "report" ? loads.report(message) : [];
        link.say({ kind: "loads", id, loads: told.map((load) => toBinary(ClusterStatsSchema, load)) });
      },
      runtime: ({ name, values }) => runtime.setLayer(name, values),
      "health checks": ({ fail }) => {
        readiness.healthFails = fail;
      },
      "log level": ({ level }) => void options.logLevel.set(level),
      "drain listeners": () => void plane.drain(options.drainTimeMs),
      "reopen logs": () => life.reopenLogs(),
      "reset counters": () => resetCounters(parts),
      drain: ({ handedOver }) => life.stop(handedOver),
    },
    () => life.stop(),
  );
}

function take(parts: Parts, typeUrl: TypeUrl, added: ReceivedResource[], removed: string[]): void {
  const refused = parts.resources.handlers[typeUrl]?.apply({ added, removed, full: false });
  for (const [name, error] of refused ?? []) {
    parts.options.logger.error({ typeUrl, name, error }, "a worker cannot take what the main process has taken");
  }
}
