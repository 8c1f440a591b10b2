import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  clusterFrom,
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  staticCluster,
  toCluster,
} from "../test-plane.ts";
import {
  authoritySecret,
  bySds,
  certificateSecret,
  downstreamTls,
  permissive,
  secretFrom,
  upstreamTls,
} from "../tls/testing/contexts.ts";
import { spiffe, TestAuthority, type TestCertificate } from "./testing/certificates.ts";

const fixtures = new Fixtures();
afterEach(() => {
  fixtures.close();
  vi.useRealTimers();
});

let ca: TestAuthority;
let a: TestCertificate;
let b: TestCertificate;
beforeAll(async () => {
  ca = await TestAuthority.create();
  a = await ca.issue({ uris: [spiffe("a")] });
  b = await ca.issue({ uris: [spiffe("b")] });
});

const get = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const ask = async (port: number) => (await fixtures.client(port)).send(get).untilEnd();

const listener = (tls: JsonObject, name = "inbound") =>
  listenerFrom({ ...listenerJson({}), ...permissive({ routes: [toCluster("app")] }, tls), name });

const cluster = (port: number, tls: JsonObject, name = "up") => clusterFrom(staticCluster(name, [port], tls));

/** A destination that has what it needs, and a source with one listener whose cluster may wait. */
async function destination() {
  const app = await fixtures.http((_, response) => void response.end("hello"));
  const inbound = await fixtures.plane({ clusters: [staticCluster("app", [app])] });
  expect(inbound.plane.setListener(listener(downstreamTls(bySds())))).toEqual([]);
  return inbound;
}

const portOf = ({ plane }: Awaited<ReturnType<typeof destination>>) =>
  plane.boundListeners().find(({ name }) => name === "inbound")?.port;

async function ready(inbound: Awaited<ReturnType<typeof destination>>): Promise<number> {
  expect(inbound.plane.setSecret(certificateSecret(b))).toEqual([]);
  expect(inbound.plane.setSecret(authoritySecret(ca.pem))).toEqual([]);
  await eventually(() => portOf(inbound) !== undefined);
  return portOf(inbound) ?? 0;
}

describe("what waits for secrets", () => {
  it("a listener is bound once both have come, and the others don't wait for it", async () => {
    const inbound = await destination();
    expect([...inbound.plane.requiredSecrets()].sort()).toEqual(["ROOTCA", "default"]);
    expect(inbound.plane.setSecret(certificateSecret(b))).toEqual([]);
    expect(portOf(inbound)).toBeUndefined();
    expect(inbound.plane.ready).toBe(false);
    expect(inbound.plane.boundListeners().map(({ name }) => name)).toEqual(["test"]);
    expect(inbound.plane.setSecret(authoritySecret(ca.pem))).toEqual([]);
    await eventually(() => portOf(inbound) !== undefined);
    expect(inbound.plane.ready).toBe(true);
  });

  it("a listener keeps the chains it has until the new ones can be used", async () => {
    const app = await fixtures.http((_, response) => void response.end("hello"));
    const clusters = [staticCluster("app", [app])];
    const { plane, port } = await fixtures.plane({ routes: [toCluster("app")], clusters });
    const update = listener(downstreamTls(bySds()), "test");
    update.filterChains = update.filterChains.slice(0, 1);
    expect(plane.setListener(update)).toEqual([]);
    expect(await ask(port)).toMatch(/200 OK/);
    plane.setSecret(certificateSecret(b));
    plane.setSecret(authoritySecret(ca.pem));
    // No chain takes plain text any longer.
    expect(await ask(port)).toBe("");
  });

  it("a new cluster is not there, an old one goes on as it was, and both are in force with the secrets", async () => {
    const inbound = await destination();
    const port = await ready(inbound);
    const source = await fixtures.plane({
      hosts: ["up", "old"].map((name) => ({ name, domains: [name], routes: [toCluster(name)] })),
      clusters: [staticCluster("old", [port])],
    });
    const via = async (host: string) => (await fixtures.client(source.port)).send(get.replace("x", host)).untilEnd();
    expect(source.plane.setCluster(cluster(port, upstreamTls(common)))).toEqual([]);
    expect(source.plane.setCluster(cluster(port, upstreamTls(common), "old"))).toEqual([]);
    expect(await via("up")).toMatch(/^HTTP\/1.1 503 /);
    expect(source.lastRecord.responseCodeDetails).toBe("cluster_not_found");
    expect(await via("old")).toMatch(/200 OK/);
    expect(source.plane.warmingClusters).toBe(2);
    expect(source.plane.ready).toBe(false);
    source.plane.setSecret(certificateSecret(a));
    source.plane.setSecret(authoritySecret(ca.pem));
    expect(source.plane.ready).toBe(true);
    expect(await via("up")).toMatch(/200 OK/);
    expect(await via("old")).toMatch(/200 OK/);
    expect(source.counter("cluster.old.ssl.handshake")).toBe(1);
  });

  it("waits for as long as its config says, and then fails each connection with the reason", async () => {
    const { plane, port, records } = await fixtures.plane({ routes: [toCluster("up")] });
    expect(plane.setCluster(cluster(1, upstreamTls(bySds("0.02s"))))).toEqual([]);
    await eventually(() => plane.clusterMap.has("up"));
    expect(await ask(port)).toMatch(/^HTTP\/1.1 503 /);
    expect(records.at(-1)?.upstreamTransportFailureReason).toContain("Secret is not supplied by SDS");
    expect(plane.setListener(listener(downstreamTls(bySds("0.02s"))))).toEqual([]);
    await eventually(() => plane.boundListeners().length === 2);
  });

  it("without end keeps nothing else from starting", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { plane } = await fixtures.plane({});
    expect(plane.setCluster(cluster(1, upstreamTls(bySds("0s"))))).toEqual([]);
    expect(plane.setListener(listenerFrom({ ...listenerJson({}), name: "other" }))).toEqual([]);
    expect(plane.ready).toBe(false);
    await vi.advanceTimersByTimeAsync(15_000);
    vi.useRealTimers();
    await eventually(() => plane.boundListeners().length === 2);
    expect(plane.clusterMap.has("up")).toBe(false);
  });
});

const common = { ...bySds("0s", { exact: spiffe("b") }), alpn_protocols: ["istio"] };

describe("a secret", () => {
  it("is replaced under traffic without a failed request, for new connections only", async () => {
    const inbound = await destination();
    const port = await ready(inbound);
    const source = await fixtures.plane({ routes: [toCluster("up")] });
    source.plane.setCluster(cluster(port, upstreamTls(common)));
    source.plane.setSecret(certificateSecret(a));
    source.plane.setSecret(authoritySecret(ca.pem));
    const kept = await fixtures.client(source.port);
    const request = get.replace("connection: close\r\n", "");
    let sent = 0;
    const again = async () => {
      kept.received = "";
      sent++;
      await kept.send(request).until((text) => text.endsWith("hello"));
    };
    await again();
    for (let round = 0; round < 3; round++) {
      const [next, other] = [await ca.issue({ uris: [spiffe("a2")] }), await ca.issue({ uris: [spiffe("b")] })];
      const answers = Array.from({ length: 5 }, () => ask(source.port));
      expect(source.plane.setSecret(certificateSecret(next))).toEqual([]);
      expect(inbound.plane.setSecret(certificateSecret(other))).toEqual([]);
      answers.push(...Array.from({ length: 5 }, () => ask(source.port)));
      await again();
      for (const text of await Promise.all(answers)) expect(text).toMatch(/200 OK/);
    }
    // The pooled connections were the first's; one that is opened now shows the last certificate.
    source.plane.clusterMap.get("up")?.pool.close("test");
    expect(await ask(source.port)).toMatch(/200 OK/);
    expect(inbound.records.at(0)?.downstreamTls?.peerUri).toBe(spiffe("a"));
    expect(inbound.lastRecord.downstreamTls?.peerUri).toBe(spiffe("a2"));
    expect(inbound.records.length).toBe(30 + sent + 1);
  });

  const pem = (kind: string) => `-----BEGIN ${kind}-----\nQUJD\n-----END ${kind}-----\n`;
  it.each<[string, (good: TestCertificate) => JsonObject, string]>([
    [
      "without a certificate",
      ({ key }) => ({ tls_certificate: { private_key: { inline_string: key } } }),
      "tls_certificate.certificate_chain: filename, inline_string or inline_bytes is required",
    ],
    ["whose chain is no PEM", (good) => pair({ ...good, chain: "hush" }), "certificate_chain: holds no certificate"],
    [
      "whose chain cannot be read",
      (good) => pair({ ...good, chain: pem("CERTIFICATE") }),
      "tls_certificate.certificate_chain: certificate 1 cannot be read",
    ],
    [
      "whose key cannot be read",
      (good) => pair({ ...good, key: pem("PRIVATE KEY") }),
      "tls_certificate.private_key: holds no private key in PEM form",
    ],
    [
      "whose key is another's",
      (good) => pair({ ...good, key: b.key }),
      "tls_certificate.private_key: does not belong to the first certificate of certificate_chain",
    ],
    ["of another kind", () => ({ validation_context: {} }), "tls_certificate: required, since a TLS context refers"],
    [
      "with fields that we don't know",
      (good) => ({ tls_certificate: { ...pair(good).tls_certificate, password: { inline_string: "hush" } } }),
      "tls_certificate.password: not supported",
    ],
  ])("%s is refused by field and without its content, and the one in force stays", async (_, bad, error) => {
    const { plane, port } = await fixtures.plane({ routes: [toCluster("up")] });
    plane.setCluster(cluster(1, upstreamTls(bySds())));
    plane.setSecret(certificateSecret(a));
    plane.setSecret(authoritySecret(ca.pem));
    const [message = ""] = plane.setSecret(secretFrom({ name: "default", ...bad(a) }));
    expect(message).toContain("secret default: ");
    expect(message).toContain(error);
    expect(message).not.toMatch(/hush|QUJD|BEGIN/);
    expect(plane.tlsContexts()[0]?.certificates[0]?.value?.infos[0].uris).toEqual([spiffe("a")]);
    expect(port).toBeGreaterThan(0);
  });

  it("of authorities needs a certificate at least; an expired certificate is its peers' to judge", async () => {
    const { plane } = await fixtures.plane({});
    plane.setCluster(cluster(1, upstreamTls(bySds())));
    expect(plane.setSecret(authoritySecret(a.key))).toEqual([
      "secret ROOTCA: validation_context.trusted_ca: holds no certificate in PEM form",
    ]);
    const past = new Date(Date.now() - 1000);
    const old = await ca.issue({ uris: [spiffe("a")], notBefore: new Date(0), notAfter: past });
    expect(plane.setSecret(certificateSecret(old))).toEqual([]);
  });

  it("is forgotten with the last that refers to it", async () => {
    const { plane } = await fixtures.plane({});
    plane.setCluster(cluster(1, upstreamTls(bySds())));
    plane.setSecret(certificateSecret(a));
    plane.removeCluster("up");
    expect([...plane.requiredSecrets()]).toEqual([]);
    plane.setCluster(cluster(1, upstreamTls(bySds())));
    plane.setSecret(authoritySecret(ca.pem));
    expect(plane.clusterMap.has("up")).toBe(false);
  });

  it.each<[string, JsonObject, string]>([
    ["without a source", { name: "default" }, "sds_config: only ads and path_config_source are supported, not none"],
    [
      "from a file",
      { name: "x", sds_config: { path: "/x" } },
      "sds_config: only ads and path_config_source are supported, not path",
    ],
    ["without a name", { sds_config: { ads: {} } }, "tls_certificate_sds_secret_configs[0].name: required"],
  ])("referred to %s is refused", async (_, config, error) => {
    const { plane } = await fixtures.plane({});
    const [message] = plane.setCluster(cluster(1, upstreamTls({ tls_certificate_sds_secret_configs: [config] })));
    expect(message).toContain(error);
  });
});

const pair = ({ chain, key }: TestCertificate) => ({
  tls_certificate: { certificate_chain: { inline_string: chain }, private_key: { inline_string: key } },
});
