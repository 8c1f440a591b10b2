import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spiffe, TestAuthority } from "../secret/testing/certificates.ts";
import { staticCluster, toCluster } from "../test-plane.ts";
import { BesideEnvoy, envoyMissing } from "../testing/beside-envoy.ts";
import { inline, trusting, upstreamTls } from "../tls/testing/contexts.ts";

// What operators and expressions say of the TLS towards an endpoint, on the same requests through real Envoy and through our data path.

const both = new BesideEnvoy();

const attributes = [
  ...["tls_version", "subject_peer_certificate", "subject_local_certificate", "uri_san_peer_certificate"],
  ...["uri_san_local_certificate", "dns_san_peer_certificate", "dns_san_local_certificate"],
  ...["sha256_peer_certificate_digest", "locality.region"],
];
const operators = [
  ...["TLS_VERSION", "TLS_CIPHER", "PEER_URI_SAN", "PEER_DNS_SAN", "PEER_IP_SAN", "PEER_SUBJECT", "PEER_ISSUER"],
  ...["PEER_CERT", "PEER_CERT_V_START", "PEER_CERT_V_END", "LOCAL_URI_SAN", "LOCAL_DNS_SAN", "LOCAL_IP_SAN"],
].map((name) => `UPSTREAM_${name}`);
const certificate = [
  "size(upstream.peer_certificate)",
  "upstream.peer_certificate.startsWith('-----BEGIN CERTIFICATE-----\\n')",
];
const all = [
  ...operators,
  ...[...attributes.map((name) => `upstream.${name}`), ...certificate].map((e) => `CEL(${e})`),
];

beforeAll(async () => {
  if (envoyMissing) return;
  const ca = await TestAuthority.create();
  const [own, bare, server] = await Promise.all([
    ca.issue({ uris: [spiffe("a"), "https://a.example/"], dns: ["a.example"], subject: "O=limpid,CN=a" }),
    ca.issue({ dns: ["bare.example"] }),
    ca.issue({ uris: [spiffe("b"), "https://b.example/"], dns: ["b.example", "*.b.example"], subject: "O=Ü,CN=b" }),
  ]);
  const up = createServer({ cert: server.chain, key: server.key, ca: ca.pem, requestCert: true }, (_, response) => {
    response.end("ok");
  });
  up.listen(0, "127.0.0.1");
  await once(up, "listening");
  both.fixtures.onClose(() => void up.close());
  const { port } = up.address() as AddressInfo;
  const plain = await both.fixtures.http((_, response) => void response.end("ok"));
  const tls = (common: object) => upstreamTls({ ...common, ...trusting(ca.pem) });
  const older = { tls_params: { tls_maximum_protocol_version: "TLSv1_2" } };
  const newer = { tls_params: { tls_maximum_protocol_version: "TLSv1_3" } };
  const clusters = [
    staticCluster("mutual", [port], tls({ ...inline(own), ...newer })),
    staticCluster("bare", [port], tls({ ...inline(bare), ...newer })),
    staticCluster("nobody", [port], tls(older)),
    staticCluster("refused", [port], upstreamTls({ ...inline(own), ...trusting(ca.pem, { exact: spiffe("c") }) })),
    staticCluster("plain", [plain]),
  ];
  const routes = clusters.map(({ name }) => ({ ...toCluster(String(name)), match: { prefix: `/${name}` } }));
  await both.start({ all: { clusters, routes } }, {}, all.map((operator) => `%${operator}%`).join("|"));
}, 90_000);
afterAll(() => both.close());

describe.skipIf(envoyMissing)("TLS towards an endpoint, as Envoy tells of it", () => {
  it.each(["/mutual", "/mutual", "/bare", "/nobody", "/refused", "/plain", "/none"])("%s", async (path) => {
    const { mine, theirs } = await both.ask("all", { path });
    const named = (line: string) =>
      Object.fromEntries(line.split("|").map((value, index) => [all[index] ?? "more", value]));
    expect(named(mine.log)).toEqual(named(theirs.log));
    if (path === "/mutual")
      expect(named(mine.log)).toMatchObject({ "CEL(upstream.subject_local_certificate)": "CN=a,O=limpid" });
  });
});
