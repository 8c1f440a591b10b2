import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { silentLogger } from "../lib/logger.ts";
import { TypeUrl } from "../xds/types.ts";
import { handlers } from "./admin/handlers.ts";
import type { RunningSidecar } from "./process/running-sidecar.ts";
import { runSidecar } from "./run.ts";
import { spiffe, TestAuthority, type TestCertificate } from "./secret/testing/certificates.ts";
import { clusterFrom, Fixtures, listenerFrom, listenerJson, staticCluster, toCluster } from "./test-plane.ts";
import { authoritySecret, bySds, certificateSecret, upstreamTls } from "./tls/testing/contexts.ts";
import { SecurePlane } from "./xds/testing/secure-plane.ts";

// A whole sidecar that shows its control plane who it is, and gets its certificates from it.

const fixtures = new Fixtures();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  fixtures.close();
});

let ca: TestAuthority;
let own: TestCertificate;
let controlPlane: TestCertificate;
let destination: TestCertificate;
const planeName = "spiffe://cluster.local/ns/limpid-system/sa/control-plane";

beforeAll(async () => {
  ca = await TestAuthority.create();
  own = await ca.issue({ uris: [spiffe("a")] });
  controlPlane = await ca.issue({ uris: [planeName] });
  destination = await ca.issue({ uris: [spiffe("b")] });
});

const socketAddress = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });

function bootstrap(folder: string, xdsPort: number, expectedName: string): JsonObject {
  const ads = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
  const file = (name: string) => ({ filename: join(folder, name) });
  const tls = upstreamTls({
    tls_certificates: [{ certificate_chain: file("cert-chain.pem"), private_key: file("key.pem") }],
    validation_context: {
      trusted_ca: file("root-cert.pem"),
      match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: expectedName } }],
    },
  });
  return {
    node: { id: "sidecar~127.0.0.1~test.default~default.svc.cluster.local", cluster: "test.default" },
    admin: { address: socketAddress(0) },
    dynamic_resources: {
      ads_config: { api_type: "DELTA_GRPC", grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }] },
      lds_config: ads,
      cds_config: ads,
    },
    static_resources: {
      clusters: [staticCluster("xds-grpc", [xdsPort], { http2_protocol_options: {}, ...tls })],
    },
  };
}

/** Writes what the supervisor would, and starts the sidecar on it; `reasons` are why its stream was lost. */
async function start({ expectedName = planeName, without = "" } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "secrets-"));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const plane = new SecurePlane();
  await plane.start(ca.pem, controlPlane);
  cleanups.push(() => plane.close());
  const write = ({ chain, key }: TestCertificate) => {
    const files = { "cert-chain.pem": chain, "key.pem": key, "root-cert.pem": ca.pem };
    for (const [name, text] of Object.entries(files)) {
      if (name !== without) writeFileSync(join(folder, name), text, { mode: 0o600 });
    }
  };
  write(own);
  const configPath = join(folder, "bootstrap.json");
  writeFileSync(configPath, JSON.stringify(bootstrap(folder, plane.port, expectedName)));
  const reasons: string[] = [];
  const running = await runSidecar({
    configPath,
    drainTimeMs: 100,
    version: "1.2.3",
    logger: {
      ...silentLogger,
      isLevelEnabled: () => false,
      info: (fields: { reason?: string }) => void reasons.push(fields.reason ?? ""),
    },
    logLevel: { get: () => "info", set: () => true },
  });
  cleanups.push(() => running.stop());
  return { plane, running, folder, reasons, write };
}

const admin = async (running: RunningSidecar, path: string) =>
  (await fetch(`http://127.0.0.1:${running.admin?.port}${path}`)).text();

const encoded = (secret: Secret) => toBinary(SecretSchema, secret);

/** A sidecar with one listener and one cluster in TLS, whose secrets are still to come. */
async function waiting() {
  const started = await start();
  const { plane } = started;
  const app = createServer(
    { cert: destination.chain, key: destination.key, ca: ca.pem, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        const { subjectaltname } = socket.getPeerCertificate();
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${subjectaltname?.length}\r\n\r\n${subjectaltname}`);
      });
    },
  ).listen(0, "127.0.0.1");
  await once(app, "listening");
  cleanups.push(() => app.close());
  const cluster = staticCluster(
    "up",
    [(app.address() as AddressInfo).port],
    upstreamTls(bySds("0s", { exact: spiffe("b") })),
  );
  await vi.waitFor(() => expect(plane.requests.length).toBeGreaterThan(1), { timeout: 10_000 });
  plane.push(TypeUrl.cluster, { up: toBinary(ClusterSchema, clusterFrom(cluster)) });
  const listener = listenerFrom({ ...listenerJson({ routes: [toCluster("up")], manager: { access_log: [] } }) });
  plane.push(TypeUrl.listener, { test: toBinary(ListenerSchema, listener) });
  await vi.waitFor(() => expect(plane.asked(TypeUrl.secret).sort()).toEqual(["ROOTCA", "default"]));
  return started;
}

/** As above, with its secrets. */
async function running() {
  const started = await waiting();
  started.plane.push(TypeUrl.secret, {
    default: encoded(certificateSecret(own)),
    ROOTCA: encoded(authoritySecret(ca.pem)),
  });
  await vi.waitFor(() => expect(started.running.state()).toBe("LIVE"));
  const address = (await admin(started.running, "/listeners")).trim();
  const port = Number(address.slice(address.lastIndexOf(":") + 1));
  const ask = async () =>
    (await fixtures.client(port)).send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").untilEnd();
  return { ...started, ask };
}

describe("a sidecar with certificates from its control plane", () => {
  it("asks for what its clusters refer to, and waits for it", async () => {
    const { plane, running: sidecar } = await waiting();
    plane.push(TypeUrl.secret, {}, ["default"]);
    await vi.waitFor(() => expect(plane.requests.at(-1)?.typeUrl).toBe(TypeUrl.secret));
    expect(sidecar.state()).toBe("INITIALIZING");
    const dump = JSON.parse(await admin(sidecar, "/config_dump?resource=dynamic_warming_secrets"));
    expect(dump.configs.map(({ name }: { name: string }) => name).sort()).toEqual(["ROOTCA", "default"]);
    plane.push(TypeUrl.secret, { default: encoded(certificateSecret(own)), ROOTCA: encoded(authoritySecret(ca.pem)) });
    await vi.waitFor(() => expect(sidecar.state()).toBe("LIVE"));
  });

  it("shows the new one after a push, and keeps the good one when a bad one comes", async () => {
    const { plane, running: sidecar, ask } = await running();
    expect(await ask()).toContain(`URI:${spiffe("a")}`);
    const next = await ca.issue({ uris: [spiffe("next")] });
    plane.push(TypeUrl.secret, { default: encoded(certificateSecret(next)) });
    await vi.waitFor(async () => expect(await ask()).toContain(`URI:${spiffe("next")}`));
    plane.push(TypeUrl.secret, { default: encoded(certificateSecret({ chain: own.chain, key: next.key })) });
    await vi.waitFor(() =>
      expect(plane.refusals(TypeUrl.secret)).toEqual([
        "Error adding/updating secret(s) default: secret default: tls_certificate.private_key: does not belong to the first certificate of certificate_chain",
      ]),
    );
    plane.push(TypeUrl.secret, {}, ["default"]);
    expect(await ask()).toContain(`URI:${spiffe("next")}`);
    const stats = await admin(sidecar, "/stats?filter=^sds.default");
    expect(stats).toContain("sds.default.update_success: 2\n");
    expect(stats).toContain("sds.default.update_rejected: 1\n");
  });

  it("shows certificates and never a key on any page", async () => {
    const { plane, running: sidecar } = await running();
    plane.push(TypeUrl.secret, { default: encoded(certificateSecret({ chain: "", key: own.key })) });
    await vi.waitFor(() => expect(plane.refusals(TypeUrl.secret)).toHaveLength(1));
    const certs = JSON.parse(await admin(sidecar, "/certs"));
    expect(certs.certificates).toHaveLength(2);
    expect(certs.certificates.map((c: { cert_chain: object[] }) => c.cert_chain[0])).toEqual(
      [expect.stringMatching(/cert-chain.pem$/), "<inline>"].map((path) =>
        expect.objectContaining({ path, subject_alt_names: [{ uri: spiffe("a") }], days_until_expiration: "0" }),
      ),
    );
    const { configs } = JSON.parse(await admin(sidecar, "/config_dump?resource=dynamic_active_secrets"));
    expect(configs).toMatchObject([
      {
        name: "default",
        client_status: "NACKED",
        secret: { tls_certificate: { private_key: { inline_bytes: Buffer.from("[redacted]").toString("base64") } } },
      },
      { name: "ROOTCA", secret: { validation_context: { trusted_ca: { inline_bytes: expect.any(String) } } } },
    ]);
    const bootstrapDump = await admin(sidecar, "/config_dump?resource=bootstrap");
    expect(bootstrapDump).toContain('"filename": "[redacted]"');
    const base64 = (text: string) => Buffer.from(text).toString("base64").slice(40, 90);
    const inner = own.key.split("\n")[1] ?? "none";
    for (const [path, { mutates }] of Object.entries(handlers)) {
      if (mutates) continue;
      const page = await admin(sidecar, `${path}?include_eds`);
      expect(page, path).not.toContain("PRIVATE KEY");
      expect(page, path).not.toContain(inner);
      expect(page, path).not.toContain(base64(own.key));
    }
  });
});

describe("the stream to the control plane", () => {
  it("is made with the files as they are at that time", async () => {
    const { plane, write, reasons } = await running();
    const before = plane.requests.length;
    write(await (await TestAuthority.create("foreign")).issue({ uris: [spiffe("a")] }));
    plane.hangUp();
    await vi.waitFor(() => expect(reasons.filter((reason) => reason !== "").length).toBeGreaterThan(1), {
      timeout: 10_000,
    });
    expect(plane.requests.length).toBe(before);
    write(await ca.issue({ uris: [spiffe("a")] }));
    const asked = () => plane.requests.slice(before).map(({ typeUrl }) => typeUrl);
    await vi.waitFor(() => expect(asked()).toContain(TypeUrl.secret), { timeout: 10_000 });
  });

  it("is not made to somebody else, and says why", async () => {
    const { plane, reasons } = await start({ expectedName: "spiffe://cluster.local/ns/limpid-system/sa/other" });
    await vi.waitFor(() => expect(reasons.join("\n")).toContain(`certificate SANs are [${planeName}]`), {
      timeout: 10_000,
    });
    expect(plane.requests).toEqual([]);
  });

  it.each([
    ["key.pem", "tls_certificates[0].private_key.filename: "],
    ["cert-chain.pem", "tls_certificates[0].certificate_chain.filename: "],
    ["root-cert.pem", "validation_context.trusted_ca.filename: "],
  ])("cannot begin without %s, which is named with its field", async (without, field) => {
    const message = await start({ without }).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(message).toContain(field);
    expect(message).toContain(`${without} cannot be read (ENOENT)`);
  });
});
