import { createServer, type IncomingMessage } from "node:http";
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
  /** xDS node id of a proxy; null for other parts. */
  node: string | null;
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

/** The supervisor's own HTTP interface, on loopback; refuses foreign Host and any Origin, so that no web page can reach it. */
export function serveFleetApi(control: FleetControl, host: string, port: number): Promise<{ close(): void }> {
  const server = createServer({ requestTimeout: 5000, maxHeaderSize: 16 * 1024 }, (req, res) => {
    const { status, body } = route(control, req);
    res.writeHead(status, { "content-type": "application/json" });
    res.end(JSON.stringify(body));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () =>
      resolve({
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      }),
    );
  });
}

function route(control: FleetControl, req: IncomingMessage): { status: number; body: unknown } {
  const host = (req.headers.host ?? "").replace(/:\d+$/, "");
  if (!["127.0.0.1", "localhost", "[::1]"].includes(host) || req.headers.origin !== undefined) {
    return { status: 403, body: { message: "only programs on this machine may ask" } };
  }
  const url = new URL(req.url ?? "/", "http://fleet");
  const call = `${req.method} ${url.pathname}`;
  if (call === "GET /v1/status") return { status: 200, body: control.status() };
  if (call === "PUT /v1/traffic") {
    const rate = Number(url.searchParams.get("rate") ?? Number.NaN);
    if (!(rate >= 0 && rate <= maxTrafficRate)) {
      return { status: 400, body: { message: `rate must be a number from 0 to ${maxTrafficRate}` } };
    }
    control.setTrafficRate(rate);
    return { status: 200, body: control.status().traffic };
  }
  if (call === "POST /v1/restart") {
    const name = url.searchParams.get("part") ?? "";
    return control.restart(name)
      ? { status: 202, body: { restarting: name } }
      : { status: 404, body: { message: `no part ${name}` } };
  }
  if (call === "POST /v1/shutdown") {
    control.shutdown();
    return { status: 202, body: { stopping: true } };
  }
  return { status: 404, body: { message: `no ${call}` } };
}
