import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createRegistry, type JsonObject, toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { buildMesh } from "../model/mesh.ts";
import { resourceFiles } from "../proto/resource-files.ts";
import { BesideEnvoy, envoyMissing } from "../sidecar/testing/beside-envoy.ts";
import { objectsOf, proxyOf } from "./testing/cases.ts";
import { translate } from "./translate.ts";

// What a port named grpc-web is translated to, on the bundled sidecar and on real Envoy: a browser's call comes to the application as gRPC.

const both = new BesideEnvoy();
const seen: string[] = [];

async function application(): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    stream.on("end", () => {
      seen.push(`${headers["content-type"]} ${headers.te}`);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from("\0\0\0\0\x02ok"));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  both.fixtures.onClose(() => server.close());
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  if (envoyMissing) return;
  const port = await application();
  const yaml = `
apiVersion: v1
kind: Service
metadata: { name: api, namespace: default }
spec: { selector: { app: api }, ports: [{ name: grpc-web-api, port: 9090 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: api-v1, namespace: default }
spec: { address: 127.0.1.5, labels: { app: api } }
`;
  const metadata = { INTERCEPTION_MODE: "NONE", LABELS: { app: "api" }, INGRESS: { "9090": `127.0.0.1:${port}` } };
  const proxy = proxyOf({ id: "sidecar~127.0.1.5~api-v1.default~default.svc.cluster.local", metadata });
  const made = translate(buildMesh(objectsOf(yaml), 1), proxy);
  const registry = createRegistry(...resourceFiles);
  const inbound = [...made.listeners.values()].find(({ name }) => name.includes("9090"));
  if (inbound === undefined) throw new Error("no inbound listener");
  // Logs and spans have nobody to go to here.
  const silent = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, inner) => (["accessLog", "tracing"].includes(key) ? undefined : inner)));
  const { filterChains, listenerFilters, trafficDirection } = silent(
    toJson(ListenerSchema, inbound, {
      registry,
    }),
  ) as JsonObject;
  const clusters = [...made.clusters.values()].filter(({ name }) => name.startsWith("inbound"));
  await both.start(
    {
      inbound: {
        clusters: clusters.map((cluster) => toJson(ClusterSchema, cluster, { registry, useProtoFieldName: true })),
        listener: {
          filter_chains: filterChains ?? [],
          ...(trafficDirection !== undefined && { traffic_direction: trafficDirection }),
          ...(listenerFilters !== undefined && { listener_filters: listenerFilters }),
        },
      },
    },
    {},
    "%RESPONSE_CODE%",
  );
}, 90_000);

afterAll(() => both.close());

describe.skipIf(envoyMissing)("a port named grpc-web", () => {
  it.each(["application/grpc-web+proto", "application/grpc-web-text+proto"])("takes %s for gRPC", async (type) => {
    seen.length = 0;
    const call = Buffer.from("\0\0\0\0\x02hi");
    const isText = type.includes("text");
    const { ours, envoyPort } = both.side("inbound");
    const ask = async (port: number) => {
      const response = await fetch(`http://127.0.0.1:${port}/api.Service/Call`, {
        method: "POST",
        headers: { "content-type": type, accept: type },
        body: isText ? call.toString("base64") : call,
      });
      return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
    };
    const mine = await ask(ours.port);
    expect(mine).toEqual(await ask(envoyPort));
    expect(mine).toMatchObject({ status: 200, type });
    expect(isText ? atob(mine.body.slice(0, 12)) : mine.body).toContain("ok");
    expect(seen).toEqual(["application/grpc trailers", "application/grpc trailers"]);
  });
});
