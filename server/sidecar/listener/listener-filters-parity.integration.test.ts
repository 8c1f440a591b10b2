import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, describe, expect, it } from "vitest";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  type PlaneOptions,
  staticCluster,
  toCluster,
} from "../test-plane.ts";
import { envoyMissing, RealEnvoy } from "../testing/real-envoy.ts";

// A listener filter by discovery that never comes: who may still connect, and how, in real Envoy and in our data path.

const fixtures = new Fixtures();
afterAll(() => fixtures.close());

const type = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";
const ads: JsonObject = { ads: {} };
/** Of somebody who is not there. */
const nobody: JsonObject = {
  api_config_source: {
    api_type: "GRPC",
    transport_api_version: "V3",
    grpc_services: [{ envoy_grpc: { cluster_name: "nobody" } }],
  },
  resource_api_version: "V3",
  initial_fetch_timeout: "0.1s",
};
const http2: JsonObject = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

const optional: JsonObject = { "@type": type, allow_requests_without_proxy_protocol: true };
const places: Record<string, JsonObject> = {
  "without a default": {},
  "with a default": { default_config: { "@type": type } },
  "with a default from the beginning": { default_config: optional, apply_default_config_without_warming: true },
};

const get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const requests = [get, `PROXY TCP4 10.1.2.3 10.0.0.1 5 6\r\n${get}`];

describe.skipIf(envoyMissing).each(Object.keys(places))("%s", (name) => {
  it("lets the same connections in", async () => {
    const up = await fixtures.http((request, response) => void response.end(request.headers["x-forwarded-for"]));
    const options = (config_source: JsonObject): PlaneOptions => ({
      clusters: [staticCluster("up", [up]), staticCluster("nobody", [], http2)],
      routes: [toCluster("up")],
      manager: { use_remote_address: true },
      listener: {
        listener_filters: [{ name: "found", config_discovery: { config_source, type_urls: [type], ...places[name] } }],
      },
    });
    const ask = async (port: number, text: string) => {
      const received = await (await fixtures.client(port)).send(text).untilEnd();
      const from = received.split("\r\n\r\n")[1] ?? "";
      // Of a client on this machine, Envoy tells another of the machine's addresses.
      return [received.slice(0, 12), from === "" || from === "10.1.2.3" ? from : "this machine"];
    };
    const envoy = await RealEnvoy.start(options(nobody), { node: { id: "test", cluster: "test" } });
    const theirs: unknown[] = [];
    try {
      for (const text of requests) theirs.push(await ask(envoy.port, text));
      theirs.push(await envoy.stat(`listener.127.0.0.1_${envoy.port}.extension_config_missing`));
    } finally {
      envoy.close();
    }
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [] });
    const listener = { ...listenerJson(options(ads)), name: "other" };
    expect(test.plane.setListener(listenerFrom(listener))).toEqual([]);
    test.plane.removeExtension("found");
    const port = () => test.plane.boundListeners().find((each) => each.name === "other")?.port ?? 0;
    await eventually(() => port() !== 0);
    const mine: unknown[] = [];
    for (const text of requests) mine.push(await ask(port(), text));
    mine.push([...test.stats.counters].find(([key]) => key.endsWith("extension_config_missing"))?.[1].value ?? 0);
    expect(mine).toEqual(theirs);
  });
});
