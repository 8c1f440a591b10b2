import type { IncomingMessage } from "node:http";
import { isFromWebPage } from "../lib/allowed-host.ts";
import { errorBody } from "../lib/error-body.ts";
import { createHttpListener, type RequestTarget } from "../lib/http-listener.ts";
import type { ChildEnd } from "./child-ends.ts";
import { containerMetrics } from "./container-metrics.ts";
import type { ProcessUsage } from "./process-usage.ts";
import { maxTrafficRate, type TrafficStats } from "./traffic.ts";

/** What `limpid status -o json` prints; `GET /v1/status` of the supervisor. */
export interface FleetStatus {
  pid: number;
  version: string;
  startedAt: number;
  /** Every part has been started and was ready once. */
  started: boolean;
  data: string;
  portOffset: number;
  proxy: "limpid" | "envoy";
  dashboard: string | null;
  gateway: string;
  parts: PartStatus[];
  traffic: TrafficStats;
}

export interface PartStatus {
  name: string;
  kind: string;
  pid: number | null;
  address: string;
  state: string;
  restarts: number;
  startedAt: number;
  lastExit: string | null;
  /** The last times that it was started again, oldest first. */
  ends: readonly ChildEnd[];
  /** xDS node id of a proxy; null for other parts. */
  node: string | null;
  /** Where a proxy tells its metrics in Prometheus' form: `http://127.0.1.2:15090`; null for other parts. */
  metrics: string | null;
  /** A proxy's admin interface: `<ip>:<port>`, or `unix:<path>`, below the data folder where it is relative. */
  admin: string | null;
  /** Null while it does not run, and where the system keeps no such account. */
  usage: ProcessUsage | null;
}

export interface FleetControl {
  status(): FleetStatus;
  setTrafficRate(requestsPerSecond: number): void;
  /** False when there is no such part. */
  restart(name: string): boolean;
  shutdown(): void;
}

/**
 * The supervisor's own HTTP interface, on loopback; refuses foreign Host and any Origin, so that no web page can reach it. The end of this process
 * is the end of the mesh, so it compares what comes with the few calls there are and reads no more of it.
 */
export function serveFleetApi(
  control: FleetControl,
  host: string,
  port: number,
): Promise<{ port: number; close(): void }> {
  const server = createHttpListener(
    (request, response, target) => {
      request.resume();
      const { status, body } = route(control, request, target);
      const isText = typeof body === "string";
      response.writeHead(status, { "content-type": isText ? prometheusText : "application/json" });
      response.end(isText ? body : JSON.stringify(body));
    },
    { limits: { requestTimeoutMs: 5000, headersTimeoutMs: 5000, maxConnections: 128 } },
  );
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const bound = server.address();
      resolve({
        port: typeof bound === "object" && bound !== null ? bound.port : port,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

function route(
  control: FleetControl,
  { method, headers }: IncomingMessage,
  { path, query }: RequestTarget,
): { status: number; body: unknown } {
  if (isFromWebPage(headers)) return refuse(403, "only programs on this machine may ask");
  const call = `${method} ${path}`;
  if (call === "GET /v1/status") return { status: 200, body: control.status() };
  // Where a kubelet has cAdvisor's. https://kubernetes.io/docs/reference/instrumentation/node-metrics/
  if (call === "GET /metrics/cadvisor") return { status: 200, body: containerMetrics(control.status()) };
  if (call === "PUT /v1/traffic") {
    const rate = Number(new URLSearchParams(query).get("rate") ?? Number.NaN);
    if (!(rate >= 0 && rate <= maxTrafficRate)) {
      return refuse(400, `rate must be a number from 0 to ${maxTrafficRate}`);
    }
    control.setTrafficRate(rate);
    return { status: 200, body: control.status().traffic };
  }
  if (call === "POST /v1/restart") {
    const name = new URLSearchParams(query).get("part") ?? "";
    return control.restart(name)
      ? { status: 202, body: { restarting: name } }
      : refuse(404, `no part ${name.slice(0, 100)}`);
  }
  if (call === "POST /v1/shutdown") {
    control.shutdown();
    return { status: 202, body: { stopping: true } };
  }
  return refuse(404, `no ${call.slice(0, 200)}`);
}

const prometheusText = "text/plain; version=0.0.4";

const refuse = (status: number, message: string) => ({ status, body: errorBody(status, message) });
