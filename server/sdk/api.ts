import type { Agent, IncomingHttpHeaders, RequestListener } from "node:http";
import type { Server, Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How an application shows who it is. Its key is made in this process and never leaves it. */
export type Credentials =
  /** Of `limpid token create`: used once, for the first certificate; each after that is asked for by the one before. */
  | { token: string }
  /** One that it has already, as `limpid join` leaves it in a folder: PEM, or the paths of PEM files. */
  | { certificate: string; key: string; root: string };

export interface JoinOptions {
  /** What the application is a part of, such as `details`; its label `app`. */
  service: string;
  /** Its label `version`. Default: `v1`. */
  version?: string;
  /** Its name in the mesh. Default: `<service>-<version>`. */
  workload?: string;
  /** Default: `default`. With credentials the certificate says. */
  namespace?: string;
  /** Default: `default`. With credentials the certificate says. */
  serviceAccount?: string;
  /** Others beside `app` and `version`, by which subsets and policies find it. */
  labels?: Readonly<Record<string, string>>;
  /** An IP address of this machine, at which the others of the mesh call it. Default: 127.0.0.1. */
  address?: string;
  /** Ports of that address which {@link Mesh.listen} serves. They are bound, so that nobody else may have them. */
  ports?: readonly number[];
  /** Host of the control plane and the collector. Default: LIMPID_CONTROL_PLANE, or 127.0.0.1. */
  controlPlane?: string;
  /** Of a mesh whose ports are moved. Default: LIMPID_PORT_OFFSET, or 0. */
  portOffset?: number;
  /** Unset: it has no identity, calls in plain text, and nobody may call it who insists on mutual TLS. */
  credentials?: Credentials;
  /** Header fields that go from a request that it is asked to those which it asks for it, beside those of traces. */
  propagate?: readonly string[];
  /** How long to wait for the first configuration, in milliseconds. Default: 30,000. */
  timeoutMs?: number;
  /** How long {@link Mesh.close} waits for requests in flight, in milliseconds. Default: 10,000. */
  drainTimeMs?: number;
  /** trace, debug, info, warn, error or silent; lines of JSON on stderr. Default: warn. */
  logLevel?: string;
}

/** Takes connections from within the process, such as what `createConnectionInjector` of a gRPC server returns. */
export interface ConnectionTaker {
  injectConnection(connection: Duplex): void;
}

/** An application's place in the mesh. */
export interface Mesh {
  /** Its xDS node id, by which the control plane and the dashboard know it. */
  readonly id: string;
  /** Its SPIFFE id; undefined: it has none. */
  readonly identity: string | undefined;
  /** `live` while it has what it needs, `closed` once it is over. */
  readonly state: "live" | "closed";
  /** Whether it hears from the control plane. While it does not, the last configuration is in force. */
  readonly connected: boolean;
  /** For clients of `node:http`: `http.get("http://reviews:9080/reviews/0", { agent: mesh.agent })`. */
  readonly agent: Agent;
  /**
   * As the global one, by the mesh's rules, for `http://<host of the mesh>[:port]/…`: mutual TLS is the mesh's affair, so that `https:` is refused. Nothing is asked to be compressed.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * A connection into the mesh, for clients that make their own protocol of it. Without a port it takes HTTP/1.1 and HTTP/2 (prior knowledge), by authority; with one it goes where a TCP service of
   * that port is. Throws an Error when nothing of the mesh is there.
   */
  connect(port?: number): Socket;
  /**
   * Serves one of its {@link JoinOptions.ports}: what others send comes over mutual TLS and past the mesh's policies, and is then the application's. The server need not listen anywhere: one of
   * `node:http` or `node:http2` answers requests, one of `node:net` has the bytes of a TCP service's connections.
   * @returns stops it, and breaks off what it has under way, for which {@link close} waits
   */
  listen(port: number, application: RequestListener | Server | ConnectionTaker): () => void;
  /** Runs `work` so that its calls belong to the trace of a request which did not come by {@link listen}. */
  within<T>(headers: IncomingHttpHeaders, work: () => T): T;
  /** Sends clients away, lets requests in flight end, tells the last of what was measured, and frees everything. */
  close(): Promise<void>;
}
