// Set-up shared by the data path's tests: a data plane on a random port from JSON config, upstream servers, and a raw client.
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createRegistry, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { EmptySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { FileAccessLogSchema } from "../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import { silentLogger } from "../lib/logger.ts";
import type { Lookup } from "./cluster/dns.ts";
import { DataPlane, type DataPlaneIo } from "./data-plane.ts";
import type { RequestRecord, Tracer } from "./record.ts";
import type { Runtime } from "./runtime.ts";
import { Stats } from "./stats.ts";
import { extensionRegistry } from "./supported/supported-fields.ts";

const json = { registry: createRegistry(extensionRegistry, EmptySchema, FileAccessLogSchema, StringValueSchema) };
export const listenerFrom = (value: JsonValue) => fromJson(ListenerSchema, value, json);
export const clusterFrom = (value: JsonValue) => fromJson(ClusterSchema, value, json);
export const routesFrom = (value: JsonValue) => fromJson(RouteConfigurationSchema, value, json);
export const hostFrom = (value: JsonValue) => fromJson(VirtualHostSchema, value, json);
export const endpointsFrom = (value: JsonValue) => fromJson(ClusterLoadAssignmentSchema, value, json);

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.${name}`;
export const routerFilter = {
  name: "envoy.filters.http.router",
  typed_config: { "@type": type("http.router.v3.Router") },
};

export interface PlaneOptions {
  /** Fields of the connection manager to add or replace. */
  manager?: JsonObject;
  listener?: JsonObject;
  filters?: JsonValue[];
  /** Before the connection manager. */
  networkFilters?: JsonObject[];
  /** Virtual hosts, or routes of one for every domain. */
  hosts?: JsonValue[];
  routes?: JsonValue[];
  clusters?: JsonValue[];
  endpoints?: ClusterLoadAssignment[];
  random?: () => number;
  tracer?: Tracer;
  wallNow?: () => number;
  reusePort?: boolean;
  maxConnections?: number;
  /** `node.cluster`. */
  localCluster?: string;
  /** `local_cluster_name`. */
  peers?: string;
  healthCheckFails?: () => boolean;
  runtime?: Runtime;
  lines?: DataPlaneIo["lines"];
  lookup?: Lookup;
}

/** A listener on a random port of 127.0.0.1; `records` and `stats` show what was noted. */
export class TestPlane {
  readonly stats = new Stats();
  readonly records: RequestRecord[] = [];
  readonly plane: DataPlane;
  port = 0;

  private constructor(options: PlaneOptions) {
    const { random, tracer, wallNow, reusePort, maxConnections, lookup } = options;
    const { localCluster, peers, healthCheckFails, runtime, lines } = options;
    this.plane = new DataPlane({
      stats: this.stats,
      accessLogger: () => ({ log: (record) => void this.records.push(record) }),
      connectionLogger: () => ({ log: (record) => void this.records.push(record) }),
      tracer: () => tracer,
      random,
      wallNow,
      reusePort,
      maxConnections,
      lookup,
      logger: silentLogger,
      runtime,
      lines,
      local: { cluster: localCluster ?? "", peers, healthCheckFails: healthCheckFails ?? (() => false) },
    });
  }

  static async start(options: PlaneOptions): Promise<TestPlane> {
    const test = new TestPlane(options);
    for (const cluster of options.clusters ?? []) must(test.plane.setCluster(clusterFrom(cluster)));
    for (const assignment of options.endpoints ?? []) must(test.plane.setEndpoints(assignment));
    must(test.plane.setListener(listenerFrom(listenerJson(options))));
    await test.plane.whenListening();
    test.port = test.plane.boundListeners()[0]?.port ?? 0;
    return test;
  }

  counter(name: string): number {
    return this.stats.counters.get(name)?.value ?? 0;
  }

  gauge(name: string): number {
    return this.stats.gauges.get(name)?.value ?? 0;
  }

  get lastRecord(): RequestRecord {
    const record = this.records.at(-1);
    if (record === undefined) throw new Error("no record");
    return record;
  }
}

export function listenerJson(options: PlaneOptions): JsonObject {
  const hosts = options.hosts ?? [{ name: "all", domains: ["*"], routes: options.routes ?? [] }];
  return {
    name: "test",
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [
      {
        filters: [
          ...(options.networkFilters ?? []),
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": type("network.http_connection_manager.v3.HttpConnectionManager"),
              stat_prefix: "test",
              route_config: { name: "local", validate_clusters: false, virtual_hosts: hosts },
              access_log: [{ name: "test" }],
              http_filters: [...(options.filters ?? []), routerFilter],
              ...options.manager,
            },
          },
        ],
      },
    ],
    ...options.listener,
  };
}

/** A static cluster of 127.0.0.1 ports. */
export const staticCluster = (name: string, ports: number[], extra: JsonObject = {}): JsonObject => ({
  name,
  type: "STATIC",
  connect_timeout: "1s",
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: ports.map(lbEndpoint) }] },
  ...extra,
});

export const lbEndpoint = (port: number): JsonObject => ({
  endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
});

export const toCluster = (cluster: string, action: JsonObject = {}): JsonObject => ({
  match: { prefix: "/" },
  route: { cluster, timeout: "0s", ...action },
});

/** Everything a test opens, closed at its end. */
export class Fixtures {
  private readonly closers: (() => void)[] = [];

  async plane(options: PlaneOptions): Promise<TestPlane> {
    const test = await TestPlane.start(options);
    this.closers.push(() => test.plane.close());
    return test;
  }

  /** An HTTP server; returns its port. */
  async http(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
    const server = createHttpServer(handler);
    this.closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return listen(server);
  }

  /** A TCP server; returns its port. */
  async tcp(handler: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      handler(socket);
    });
    this.closers.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return listen(server);
  }

  /** A raw client connection. */
  async client(port: number): Promise<RawClient> {
    const client = new RawClient(connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
    this.closers.push(() => client.socket.destroy());
    await once(client.socket, "connect");
    return client;
  }

  onClose(close: () => void): void {
    this.closers.push(close);
  }

  close(): void {
    for (const close of this.closers.splice(0).reverse()) close();
  }
}

export class RawClient {
  readonly socket: Socket;
  received = "";
  /** The peer has finished or reset. */
  ended = false;
  private waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
      this.wake();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.ended = true;
        this.wake();
      });
    }
  }

  send(text: string): this {
    this.socket.write(text, "latin1");
    return this;
  }

  /** Awaits a condition on what was received. */
  async until(condition: (received: string) => boolean): Promise<string> {
    const deadline = Date.now() + 5000;
    while (!condition(this.received)) {
      if (this.ended || Date.now() > deadline)
        throw new Error(`not met; ended ${this.ended}: ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.received;
  }

  /** Awaits the end of the connection, and returns all that came. */
  async untilEnd(): Promise<string> {
    const deadline = Date.now() + 5000;
    while (!this.ended) {
      if (Date.now() > deadline) throw new Error(`still open: ${JSON.stringify(this.received)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.received;
  }

  private wake(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }
}

/** Polls until a condition holds. */
export async function eventually(condition: () => boolean, what = "condition"): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`${what}: not met in 5 s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function must(errors: string[]): void {
  if (errors.length > 0) throw new Error(errors.join("\n"));
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
