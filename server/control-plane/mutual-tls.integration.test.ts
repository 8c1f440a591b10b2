import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ChannelCredentials, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../ca/certificate-authority.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import {
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { systemClock as clock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { TypeUrl } from "../xds/types.ts";
import { createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const trustDomain = "cluster.local";
const identity = (account: string, domain = trustDomain) => `spiffe://${domain}/ns/default/sa/${account}`;

async function authorityIn(name: string, domain = trustDomain): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-mtls-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return await openCertificateAuthority(join(folder, name), { clock, trustDomain: domain });
}

async function setUp(certificateTtlSec?: number) {
  const authority = await authorityIn("ca");
  const plane = createControlPlane({
    store: new MemoryConfigStore(),
    xdsPort: 0,
    mutualTls: { authority, port: 0, ...(certificateTtlSec && { certificateTtlSec }) },
    logger: silentLogger,
    clock,
  });
  await plane.start();
  closers.push(() => plane.stop());
  return { authority, plane, ports: plane.addresses() };
}

/** As a proxy comes, with a certificate of the authority's for a service account. */
async function shown(
  authority: CertificateAuthority,
  spiffeUri: string,
  root = authority.rootPem,
): Promise<ChannelCredentials> {
  const { keyPem, chainPem } = await authority.issue({ spiffeUri, ttlSec: 600 });
  return credentials.createSsl(Buffer.from(root), Buffer.from(keyPem), Buffer.from(chainPem), {
    checkServerIdentity: () => undefined,
  });
}

const nodeOf = (account: string, namespace = "default") => ({
  id: `sidecar~127.0.0.9~${account}-v1.${namespace}~${namespace}.svc.cluster.local`,
  cluster: account,
  metadata: {
    NAMESPACE: namespace,
    SERVICE_ACCOUNT: account,
    INTERCEPTION_MODE: "NONE",
    INGRESS: { "9080": "127.0.0.1:1" },
  },
});

const client = (port: number, channel: ChannelCredentials) => {
  const made = makeClient(
    AggregatedDiscoveryService,
    `127.0.0.1:${port}`,
    { "grpc.ssl_target_name_override": "xds" },
    channel,
  );
  closers.push(() => made.close());
  return made;
};

/** Asks for both secrets over an incremental stream, and acknowledges what comes. */
function subscribe(port: number, channel: ChannelCredentials, account = "reviews", namespace?: string) {
  const stream: ClientDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse> = client(
    port,
    channel,
  ).deltaAggregatedResources();
  closers.push(() => stream.cancel());
  const secrets = new Map<string, Uint8Array>();
  const removed: string[] = [];
  let error: ServiceError | undefined;
  stream.on("error", (reason: ServiceError) => {
    error = reason;
  });
  stream.on("data", ({ nonce, typeUrl, resources, removedResources }: DeltaDiscoveryResponse) => {
    for (const { name, resource } of resources) secrets.set(name, resource?.value ?? new Uint8Array());
    removed.push(...removedResources);
    stream.write(create(DeltaDiscoveryRequestSchema, { typeUrl, responseNonce: nonce }));
  });
  stream.write(
    create(DeltaDiscoveryRequestSchema, {
      node: nodeOf(account, namespace),
      typeUrl: TypeUrl.secret,
      resourceNamesSubscribe: ["default", "ROOTCA"],
    }),
  );
  return { secrets, removed, error: () => error };
}

function leafOf(value: Uint8Array | undefined): X509Certificate {
  const { type } = fromBinary(SecretSchema, value ?? new Uint8Array());
  const chain = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier.value : undefined;
  return new X509Certificate(Buffer.from(chain as Uint8Array));
}

describe("xDS over mutual TLS", () => {
  test("gives a proxy the certificate of its own identity, and the root", async () => {
    const { authority, ports } = await setUp();
    const { secrets } = subscribe(ports.xdsTls, await shown(authority, identity("reviews")));
    await vi.waitFor(() => expect([...secrets.keys()].sort()).toEqual(["ROOTCA", "default"]));
    const leaf = leafOf(secrets.get("default"));
    expect(leaf.subjectAltName).toBe(`URI:${identity("reviews")}`);
    expect(leaf.verify(new X509Certificate(authority.rootPem).publicKey)).toBe(true);
    const { type } = fromBinary(SecretSchema, secrets.get("default") ?? new Uint8Array());
    const key = type.case === "tlsCertificate" ? type.value.privateKey?.specifier.value : undefined;
    expect(Buffer.from(key as Uint8Array).toString()).toContain("BEGIN PRIVATE KEY");
    const root = fromBinary(SecretSchema, secrets.get("ROOTCA") ?? new Uint8Array()).type;
    const trusted = root.case === "validationContext" ? root.value.trustedCa?.specifier.value : undefined;
    expect(Buffer.from(trusted as Uint8Array).toString()).toBe(authority.rootPem);
  });

  test("speaks the state-of-the-world protocol, too", async () => {
    const { authority, ports } = await setUp();
    const stream = client(ports.xdsTls, await shown(authority, identity("reviews"))).streamAggregatedResources();
    closers.push(() => stream.cancel());
    stream.on("error", () => undefined);
    const answer = new Promise<DiscoveryResponse>((done) => stream.once("data", done));
    stream.write(
      create(DiscoveryRequestSchema, { node: nodeOf("reviews"), typeUrl: TypeUrl.secret, resourceNames: ["default"] }),
    );
    const { resources } = await answer;
    expect(leafOf(resources[0]?.value).subjectAltName).toBe(`URI:${identity("reviews")}`);
  });

  test("brings another certificate over the open stream before the first ends", async () => {
    const { authority, ports } = await setUp(4);
    const { secrets } = subscribe(ports.xdsTls, await shown(authority, identity("reviews")));
    await vi.waitFor(() => expect(secrets.has("default")).toBe(true));
    const first = leafOf(secrets.get("default"));
    await vi.waitFor(() => expect(leafOf(secrets.get("default")).serialNumber).not.toBe(first.serialNumber), {
      timeout: 8_000,
    });
    expect(first.validToDate.getTime()).toBeGreaterThan(Date.now());
  });

  test("gives nothing to who comes in plain text", async () => {
    const { ports } = await setUp();
    const { secrets, removed } = subscribe(ports.xds, credentials.createInsecure());
    await vi.waitFor(() => expect(removed.sort()).toEqual(["ROOTCA", "default"]));
    expect(secrets.size).toBe(0);
  });

  test.each<[string, (authority: CertificateAuthority) => Promise<ChannelCredentials>]>([
    [
      "no certificate",
      async ({ rootPem }) =>
        credentials.createSsl(Buffer.from(rootPem), null, null, { checkServerIdentity: () => undefined }),
    ],
    [
      "one of a foreign authority",
      async ({ rootPem }) => shown(await authorityIn("foreign"), identity("reviews"), rootPem),
    ],
    ["plain text", async () => credentials.createInsecure()],
  ])("is closed to %s", async (_, come) => {
    const { authority, ports } = await setUp();
    const { secrets, error } = subscribe(ports.xdsTls, await come(authority));
    await vi.waitFor(() => expect(error()?.code).toBe(14), { timeout: 5_000 });
    expect(secrets.size).toBe(0);
  });

  test("turns away who says to be somebody else", async () => {
    const { authority, ports } = await setUp();
    const channel = await shown(authority, identity("reviews"));
    const account = subscribe(ports.xdsTls, channel, "ratings");
    await vi.waitFor(() =>
      expect(account.error()?.details).toContain('node.metadata.SERVICE_ACCOUNT: "ratings" is not "reviews"'),
    );
    const namespace = subscribe(ports.xdsTls, channel, "reviews", "prod");
    await vi.waitFor(() =>
      expect(namespace.error()?.details).toContain('node.metadata.NAMESPACE: "prod" is not "default"'),
    );
    expect([account.secrets.size, namespace.secrets.size]).toEqual([0, 0]);
  });

  test("CSDS tells of secrets without their keys, to everyone", async () => {
    const { authority, ports } = await setUp();
    const { secrets } = subscribe(ports.xdsTls, await shown(authority, identity("reviews")));
    await vi.waitFor(() => expect(secrets.size).toBe(2));
    const status = makeClient(ClientStatusDiscoveryService, `127.0.0.1:${ports.xds}`);
    closers.push(() => status.close());
    const stream = status.streamClientStatus();
    stream.on("error", () => undefined);
    closers.push(() => stream.cancel());
    const answer = new Promise<ClientStatusResponse>((done) => stream.once("data", done));
    stream.write(create(ClientStatusRequestSchema));
    const response = await answer;
    const bytes = Buffer.from(toBinary(ClientStatusResponseSchema, response)).toString("latin1");
    expect(bytes).toContain("BEGIN CERTIFICATE");
    expect(bytes).toContain("[redacted]");
    expect(bytes).not.toContain("PRIVATE KEY");
  });

  test("the dashboard's reader has identity, certificate and the secrets' state, and of a proxy in plain text none", async () => {
    const { authority, ports } = await setUp();
    const { secrets } = subscribe(ports.xdsTls, await shown(authority, identity("reviews")));
    subscribe(ports.xds, credentials.createInsecure(), "ratings");
    await vi.waitFor(() => expect(secrets.size).toBe(2));
    const target = `127.0.0.1:${ports.xds}`;
    await vi.waitFor(async () => {
      const [ratings, reviews] = await fetchProxyStatuses(target, { contents: false });
      expect(ratings).toMatchObject({
        name: "ratings-v1",
        identity: null,
        certificate: null,
        types: { SDS: { resources: 0 } },
      });
      const leaf = leafOf(secrets.get("default"));
      expect(reviews).toMatchObject({
        name: "reviews-v1",
        identity: identity("reviews"),
        certificate: {
          serial: leaf.serialNumber.toLowerCase(),
          issuer: "O=cluster.local",
          notBeforeMs: leaf.validFromDate.getTime(),
          notAfterMs: leaf.validToDate.getTime(),
        },
        types: { SDS: { state: "SYNCED", resources: 2 } },
      });
    });
    const [, reviews] = await fetchProxyStatuses(target, { contents: { type: "SDS", name: "default" } });
    const shownSecret = JSON.stringify(
      reviews?.resources.find(({ type, name }) => type === "SDS" && name === "default")?.config,
    );
    expect(shownSecret).toContain("-----BEGIN CERTIFICATE-----");
    expect(shownSecret).toContain('"privateKey":{"inlineString":"[redacted]"}');
  });
});
