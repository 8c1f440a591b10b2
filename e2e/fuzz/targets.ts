import { meshPorts, workloadPorts } from "../../server/fleet/ports.ts";
import { deliverGrpc, deliverRaw, grpcFrame } from "./deliver.ts";
import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";
import {
  adminCalls,
  chunkedRequest,
  collectorCalls,
  collectorSamples,
  configCalls,
  dashboardCalls,
  fleetCalls,
  type GrpcSample,
  httpWords,
  jaegerCalls,
  meshCalls,
  requests,
  xdsSamples,
  zipkinCalls,
} from "./samples.ts";

/** One listener, and what is sent to it. */
export interface Target {
  name: string;
  /** The part that listens, as the supervisor calls it. */
  part: string;
  host: string;
  port: number;
  /** The bytes of one input. */
  make(random: Random): Buffer;
  /** One input, made and delivered. */
  deliver(input: Buffer, random: Random): Promise<void>;
}

/** Every kind of listener of a mesh of the demo with bundled proxies. */
export function targetsOf(portOffset: number): Target[] {
  const ports = meshPorts(portOffset);
  const local = "127.0.0.1";
  const gateway = workloadPorts(0, portOffset);
  const productpage = workloadPorts(1, portOffset);
  const ratings = workloadPorts(6, portOffset);
  const proxy = "ratings-v1 proxy";
  return [
    http("supervisor", "supervisor", local, ports.fleet, fleetCalls),
    http("config API", "control-plane", local, ports.configApi, configCalls),
    http("dashboard", "dashboard", local, ports.dashboard, dashboardCalls),
    http("collector HTTP", "collector", local, ports.collectorHttp, collectorCalls),
    http("collector Zipkin", "collector", local, ports.zipkin, zipkinCalls),
    http("collector Jaeger", "collector", local, ports.jaeger, jaegerCalls),
    http("demo workload", "productpage-v1", local, productpage.app, meshCalls),
    http("ingress gateway", "istio-ingressgateway", gateway.ip, ports.gateway, meshCalls),
    http("sidecar inbound", proxy, ratings.ip, ratings.inbound, meshCalls),
    http("sidecar outbound", "productpage-v1 proxy", productpage.ip, productpage.outbound, meshCalls, "ratings:9080"),
    http("sidecar admin", proxy, ratings.ip, ratings.admin, adminCalls),
    http("sidecar health", proxy, ratings.ip, ratings.health, ["GET|/healthz/ready"]),
    http("sidecar metrics", proxy, ratings.ip, ratings.prometheus, ["GET|/stats/prometheus"]),
    grpc("xDS", "control-plane", local, ports.xds, xdsSamples),
    raw("xDS, as HTTP/2", "control-plane", local, ports.xds, [http2Hello]),
    raw("xDS over TLS", "control-plane", local, ports.xdsTls, [clientHello, http2Hello]),
    grpc("collector gRPC", "collector", local, ports.collectorGrpc, collectorSamples),
    raw("collector, as HTTP/2", "collector", local, ports.collectorGrpc, [http2Hello]),
  ];
}

function http(
  name: string,
  part: string,
  host: string,
  port: number,
  calls: readonly string[],
  authority = `localhost:${port}`,
): Target {
  return raw(name, part, host, port, [...requests(authority, calls), chunkedRequest(authority)]);
}

function raw(name: string, part: string, host: string, port: number, samples: readonly Buffer[]): Target {
  return {
    name,
    part,
    host,
    port,
    make: (random) => mutate(random.pick(samples), random, httpWords),
    deliver: (input, random) => deliverRaw(host, port, input, random),
  };
}

function grpc(name: string, part: string, host: string, port: number, samples: readonly GrpcSample[]): Target {
  const types = [
    "",
    "a",
    "type.googleapis.com/envoy.config.listener.v3.Listener",
    "type.googleapis.com/x",
    "\u0000",
    "é",
  ];
  const frames = (random: Random): Buffer =>
    Buffer.concat(
      Array.from({ length: 1 + random.below(4) }, () => {
        // Now and then whole, so that what follows it meets a stream that is open; now and then what another method takes.
        const { message } = random.pick(samples);
        return grpcFrame(random.chance(0.3) ? message : mutate(message, random, types), random);
      }),
    );
  return {
    name,
    part,
    host,
    port,
    make: (random) => (random.chance(0.1) ? mutate(frames(random), random, types) : frames(random)),
    deliver: (input, random) => deliverGrpc(host, port, random.pick(samples).path, input),
  };
}

/** Preface, SETTINGS, and HEADERS of a POST by literals. RFC 9113 §3.4, RFC 7541. */
const http2Hello = Buffer.from(
  "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a000006040000000000000400001000" +
    "00001f0104000000018386440161410161000c636f6e74656e742d7479706510617070",
  "hex",
);

/** The beginning of a TLS 1.2 ClientHello with a server name. RFC 5246 §7.4.1.2 */
const clientHello = Buffer.from(
  `16030100610100005d0303${"ab".repeat(32)}000002c02f0100003200000010000e00000b${Buffer.from("fuzz.limpid").toString("hex")}000a00080006001700180019000b00020100000d000a00080401040305010201`,
  "hex",
);
