import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { afterEach, expect, it } from "vitest";
import { TypedExtensionConfigSchema } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ResponseFlag } from "../record.ts";
import { extensionRegistry } from "../supported/supported-fields.ts";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  staticCluster,
  TestPlane,
  toCluster,
} from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const typeUrl = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const mutation = typeUrl("header_mutation.v3.HeaderMutation");
const adding = (value: string): JsonObject => ({
  "@type": mutation,
  mutations: { response_mutations: [{ append: { header: { key: "x-from", value } } }] },
});
const extension = (typed_config: JsonObject) =>
  fromJson(TypedExtensionConfigSchema, { name: "found", typed_config }, { registry: extensionRegistry });
const discovered = (extra: JsonObject = {}): JsonObject => ({
  name: "found",
  config_discovery: { config_source: { ads: {} }, type_urls: [mutation], ...extra },
});

/** With a listener whose only filter is discovered. */
async function setUp(extra: JsonObject = {}) {
  const up = await fixtures.http((_, response) => void response.end("ok"));
  const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
  const listener = { ...options(extra), name: "other" };
  expect(test.plane.setListener(listenerFrom(listener))).toEqual([]);
  const port = () => test.plane.boundListeners().find(({ name }) => name === "other")?.port;
  const client = async () => {
    await eventually(() => port() !== undefined);
    return fixtures.client(port() ?? 0);
  };
  return { test, port, client };
}

const options = (extra: JsonObject) => listenerJson({ filters: [discovered(extra)], routes: [toCluster("up")] });
const ask = async (client: Awaited<ReturnType<Fixtures["client"]>>) => {
  client.received = "";
  return client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").until((text) => /\r\n\r\n(ok)?$/.test(text));
};

it("makes its listener wait, and changes under connections that stay", async () => {
  const { test, port, client } = await setUp();
  expect(test.plane.ready).toBe(false);
  expect([...test.plane.requiredExtensions()]).toEqual([["found", 15_000]]);
  expect(port()).toBeUndefined();
  expect(test.plane.setExtension(extension(adding("one")))).toEqual([]);
  const kept = await client();
  expect(await ask(kept)).toContain("x-from: one");
  expect(test.plane.setExtension(extension(adding("two")))).toEqual([]);
  expect(await ask(kept)).toContain("x-from: two");
});

it("refuses a type that is not asked for, and what can't be compiled; what is in force stays", async () => {
  const { test, client } = await setUp();
  test.plane.setExtension(extension(adding("one")));
  const cors = { "@type": typeUrl("cors.v3.Cors") };
  expect(test.plane.setExtension(extension(cors))).toEqual([
    expect.stringContaining("envoy.extensions.filters.http.cors.v3.Cors is none of its type_urls"),
  ]);
  expect(
    test.plane.setExtension(extension({ "@type": mutation, mutations: { request_mutations: [{}] } })),
  ).toHaveLength(1);
  expect(await ask(await client())).toContain("x-from: one");
});

it("answers 500 with a flag of its own when nobody has it, until it comes, and when it is gone", async () => {
  const { test, client } = await setUp();
  test.plane.removeExtension("found");
  const kept = await client();
  expect(await ask(kept)).toMatch(/^HTTP\/1.1 500 .*content-length: 0/s);
  expect(test.lastRecord.responseFlags).toBe(ResponseFlag.noFilterConfigFound);
  test.plane.setExtension(extension(adding("late")));
  expect(await ask(kept)).toContain("x-from: late");
  test.plane.removeExtension("found");
  expect(await ask(kept)).toMatch(/^HTTP\/1.1 500 /);
});

it("takes a default when nobody has it, or from the beginning", async () => {
  const late = await setUp({
    default_config: adding("default"),
    config_source: { ads: {}, initial_fetch_timeout: "2s" },
  });
  expect(late.port()).toBeUndefined();
  expect([...late.test.plane.requiredExtensions().values()]).toEqual([2000]);
  late.test.plane.removeExtension("found");
  expect(await ask(await late.client())).toContain("x-from: default");
  const early = await setUp({ default_config: adding("default"), apply_default_config_without_warming: true });
  const kept = await early.client();
  expect(await ask(kept)).toContain("x-from: default");
  early.test.plane.setExtension(extension(adding("one")));
  expect(await ask(kept)).toContain("x-from: one");
});

it("says what is wrong with the reference", async () => {
  const test = await TestPlane.start({ clusters: [], routes: [] });
  fixtures.onClose(() => test.plane.close());
  const errors = (extra: JsonObject) => test.plane.setListener(listenerFrom({ ...options(extra), name: "other" }));
  expect(errors({ type_urls: [] })).toEqual([
    expect.stringContaining("config_discovery.type_urls: at least one is required"),
  ]);
  expect(errors({ config_source: { self: {} } })).toEqual([
    expect.stringContaining("config_discovery.config_source: only ads: {} is supported"),
  ]);
  const cors = { "@type": typeUrl("cors.v3.Cors") };
  expect(errors({ default_config: cors })).toEqual([expect.stringContaining("config_discovery.default_config")]);
});

it("network filters: who connects meets what there is then, and is closed when there is none", async () => {
  const type = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC";
  const anybody = { permissions: [{ any: true }], principals: [{ any: true }] };
  const rbac = (action: string) =>
    extension({ "@type": type, stat_prefix: "found", rules: { action, policies: { all: anybody } } });
  const up = await fixtures.http((_, response) => void response.end("ok"));
  const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
  const place = { name: "found", config_discovery: { config_source: { ads: {} }, type_urls: [type] } };
  const listener = { ...listenerJson({ networkFilters: [place], routes: [toCluster("up")] }), name: "other" };
  expect(test.plane.setListener(listenerFrom(listener))).toEqual([]);
  const port = () => test.plane.boundListeners().find(({ name }) => name === "other")?.port;
  expect([[...test.plane.requiredExtensions().keys()], port()]).toEqual([["found"], undefined]);
  expect(test.plane.setExtension(rbac("ALLOW"))).toEqual([]);
  await eventually(() => port() !== undefined);
  const kept = await fixtures.client(port() ?? 0);
  expect(await ask(kept)).toContain("ok");
  expect(test.plane.setExtension(rbac("DENY"))).toEqual([]);
  const refused = await fixtures.client(port() ?? 0);
  expect(await refused.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").untilEnd()).toBe("");
  // Who was let in stays.
  expect(await ask(kept)).toContain("ok");
  test.plane.removeExtension("found");
  expect(await (await fixtures.client(port() ?? 0)).untilEnd()).toBe("");
  expect(test.plane.setExtension(rbac("ALLOW"))).toEqual([]);
  expect(await ask(await fixtures.client(port() ?? 0))).toContain("ok");
});

it("listener filters: who connects meets what there is then, and is closed when there is none", async () => {
  const type = "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";
  const up = await fixtures.http((request, response) => void response.end(request.headers["x-forwarded-for"]));
  const test = await fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")] });
  const place = { name: "found", config_discovery: { config_source: { ads: {} }, type_urls: [type] } };
  const manager = { use_remote_address: true };
  const listener = {
    ...listenerJson({ routes: [toCluster("up")], manager }),
    name: "other",
    listener_filters: [place],
  };
  expect(test.plane.setListener(listenerFrom(listener))).toEqual([]);
  const port = () => test.plane.boundListeners().find(({ name }) => name === "other")?.port ?? 0;
  expect([[...test.plane.requiredExtensions().keys()], port()]).toEqual([["found"], 0]);
  const inspector = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";
  expect(test.plane.setExtension(extension({ "@type": inspector }))).toEqual([
    expect.stringContaining("TlsInspector is none of its type_urls"),
  ]);
  expect(test.plane.setExtension(extension({ "@type": type }))).toEqual([]);
  await eventually(() => port() !== 0);
  const request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const said = async (text: string) => (await fixtures.client(port())).send(text).untilEnd();
  expect(await said(`PROXY TCP4 10.1.2.3 10.0.0.1 5 6\r\n${request}`)).toMatch(/10\.1\.2\.3$/);
  expect(await said(request)).toBe("");
  const optional = { "@type": type, allow_requests_without_proxy_protocol: true };
  expect(test.plane.setExtension(extension(optional))).toEqual([]);
  expect(await said(request)).toMatch(/127\.0\.0\.1$/);
  test.plane.removeExtension("found");
  expect(await (await fixtures.client(port())).untilEnd()).toBe("");
  expect([...test.stats.counters].find(([name]) => name.endsWith("extension_config_missing"))?.[1].value).toBe(1);
  expect(test.plane.setExtension(extension({ "@type": type }))).toEqual([]);
  expect(await said(`PROXY TCP4 10.1.2.3 10.0.0.1 5 6\r\n${request}`)).toMatch(/10\.1\.2\.3$/);
});
