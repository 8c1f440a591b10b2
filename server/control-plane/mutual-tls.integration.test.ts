import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openBootstrapAuthority } from "../ca/bootstrap-authority.ts";
import {
  type CertificateAuthority,
  type IssuedCertificate,
  openCertificateAuthority,
} from "../ca/certificate-authority.ts";
import { spiffeIdOf, tempFolder } from "../ca/testing/tls.ts";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { type Secret, SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import {
  ClientStatusDiscoveryService,
  ClientStatusRequestSchema,
  type ClientStatusResponse,
  ClientStatusResponseSchema,
} from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { makeTlsClient } from "../xds/testing/tls-client.ts";
import { TypeUrl } from "../xds/types.ts";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "./control-plane.ts";

const hour = 3_600_000;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let clock: FakeClock;
let store: MemoryConfigStore;
let authority: CertificateAuthority;
let folder: string;
/** Who asks: namespace default, service account bookinfo-reviews. */
let reviews: IssuedCertificate;

beforeEach(async () => {
  clock = new FakeClock();
  clock.time = Date.now();
  store = new MemoryConfigStore();
  const [temp, clean] = await tempFolder();
  closers.push(clean);
  folder = temp;
  authority = await openAuthority("ca");
  reviews = await authority.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
});

const openAuthority = (name: string) =>
  openCertificateAuthority(join(folder, name), { clock, trustDomain: "cluster.local" });

async function startPlane(options: Partial<ControlPlaneOptions> = {}): Promise<{ plain: string; tls: string } & Plane> {
  const logged: string[] = [];
  const logger = { ...silentLogger, ...logInto(logged) };
  const plane = createControlPlane({ store, xdsPort: 0, xdsTls: { port: 0 }, authority, clock, logger, ...options });
  await plane.start();
  closers.push(() => plane.stop());
  const { xds, xdsTls } = plane.addresses();
  return { plane, logged, plain: `127.0.0.1:${xds}`, tls: `127.0.0.1:${xdsTls}` };
}
interface Plane {
  plane: ControlPlane;
  /** Everything that was logged, as JSON. */
  logged: string[];
}

const logInto = (lines: string[]) => {
  const log = (...args: unknown[]) =>
    void lines.push(JSON.stringify(args, (_, value) => (value instanceof Error ? String(value) : value)));
  return { info: log, warn: log, error: log };
};

const node = (metadata: Record<string, string> = { SERVICE_ACCOUNT: "bookinfo-reviews" }) =>
  ({
    id: "sidecar~127.0.1.1~reviews-v1.default~default.svc.cluster.local",
    metadata: { INTERCEPTION_MODE: "NONE", ...metadata },
  }) satisfies MessageInitShape<typeof DeltaDiscoveryRequestSchema>["node"] & Partial<Pick<Node, "id">>;

interface Access {
  root?: string;
  certificate?: IssuedCertificate;
}
const shown = (access: Access = {}) => ({ root: authority.rootPem, certificate: reviews, ...access });

/** An incremental stream that acknowledges what it gets. */
function deltaStream(target: string, access?: Access) {
  const client = access
    ? makeTlsClient(AggregatedDiscoveryService, target, shown(access))
    : makeClient(AggregatedDiscoveryService, target);
  closers.push(() => client.close());
  const stream = client.deltaAggregatedResources();
  closers.push(() => stream.cancel());
  const [responses, errors]: [DeltaDiscoveryResponse[], ServiceError[]] = [[], []];
  /** By type: why it is refused, or that it is not answered yet. */
  const proxy: { answers: Record<string, { error: string } | "later"> } = { answers: {} };
  const send = (init: MessageInitShape<typeof DeltaDiscoveryRequestSchema>) =>
    stream.write(create(DeltaDiscoveryRequestSchema, init));
  stream.on("error", (error: ServiceError) => errors.push(error));
  stream.on("data", (response: DeltaDiscoveryResponse) => {
    responses.push(response);
    const { typeUrl, nonce } = response;
    const answer = proxy.answers[typeUrl];
    if (answer === "later") return;
    send({ typeUrl, responseNonce: nonce, ...(answer && { errorDetail: { code: 3, message: answer.error } }) });
  });
  const secrets = () =>
    responses
      .filter(({ typeUrl }) => typeUrl === TypeUrl.secret)
      .map(({ resources }) => resources.flatMap(({ resource }) => (resource ? decode(resource) : [])));
  return { responses, errors, send, secrets, proxy };
}

test("a proxy comes with a bootstrap certificate, and takes no place from the anonymous ones, nor they from it", async () => {
  const bootstrap = await openBootstrapAuthority(folder, { clock, trustDomain: "cluster.local" });
  const certificate = await bootstrap.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
  const { plain, tls } = await startPlane({ bootstrapRoots: bootstrap.rootPem, limits: { sessions: 1 } });
  const anonymous = [deltaStream(plain), deltaStream(plain)];
  for (const { send } of anonymous) send({ node: node(), typeUrl: TypeUrl.cluster });
  await vi.waitFor(() => expect(anonymous.flatMap(({ errors }) => errors)).toHaveLength(1));
  const certified = deltaStream(tls, { certificate });
  certified.send(subscribe());
  await vi.waitFor(() => expect(certified.secrets().flat()).toHaveLength(2));
  const [own] = certified
    .secrets()
    .flat()
    .filter(({ name }) => name === "default");
  const chain = own?.type.case === "tlsCertificate" ? bytes(own.type.value.certificateChain) : "";
  // What it gets for the mesh is of the mesh's authority.
  expect(new X509Certificate(chain).verify(new X509Certificate(authority.rootPem).publicKey)).toBe(true);
});

const subscribe = (names = ["default", "ROOTCA"], metadata?: Record<string, string>) => ({
  node: node(metadata),
  typeUrl: TypeUrl.secret,
  resourceNamesSubscribe: names,
});

const decode = ({ value }: { value: Uint8Array }): Secret => fromBinary(SecretSchema, value);

const bytes = (source: { specifier: { case?: string | undefined; value?: unknown } } | undefined): string => {
  if (source?.specifier.case !== "inlineBytes") throw new Error(`not inline_bytes but ${source?.specifier.case}`);
  return Buffer.from(source.specifier.value as Uint8Array).toString();
};

/** What a pair of secrets means: whose certificate, with a key that fits it, below which root. */
function readSecrets(secrets: readonly Secret[]) {
  const [own, root] = ["default", "ROOTCA"].map((name) => secrets.find((secret) => secret.name === name)?.type);
  if (own?.case !== "tlsCertificate" || root?.case !== "validationContext") throw new Error("not both secrets");
  const certificate = new X509Certificate(bytes(own.value.certificateChain));
  const rootPem = bytes(root.value.trustedCa);
  return {
    serial: certificate.serialNumber,
    name: certificate.subjectAltName,
    keyFits: certificate.checkPrivateKey(createPrivateKey(bytes(own.value.privateKey))),
    trusted: rootPem === authority.rootPem && certificate.verify(new X509Certificate(rootPem).publicKey),
  };
}

const reviewsSecrets = {
  name: `URI:${spiffeIdOf("bookinfo-reviews")}`,
  keyFits: true,
  trusted: true,
};

function clientStatus(target: string): Promise<ClientStatusResponse> {
  const client = makeClient(ClientStatusDiscoveryService, target);
  closers.push(() => client.close());
  return new Promise((resolve, reject) =>
    client.fetchClientStatus(create(ClientStatusRequestSchema), new Metadata(), {}, (error, response) =>
      response ? resolve(response) : reject(error),
    ),
  );
}

const put = (yaml: string) => {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
};

const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
`;

test("incremental: a workload gets its certificate and the root", async () => {
  const { tls, plane } = await startPlane();
  const { send, secrets } = deltaStream(tls, {});
  send(subscribe());
  await vi.waitFor(() => expect(secrets()).toHaveLength(1));
  expect(readSecrets(secrets()[0] ?? [])).toMatchObject(reviewsSecrets);
  expect(plane.metrics.value("limpid_certificates_issued_total")).toBe(2);
  expect(plane.metrics.value("limpid_certificate_expiry_seconds")).toBeGreaterThan(86_390);
});

test("the server shows who it is, and speaks TLS 1.2 or newer", async () => {
  const { plane } = await startPlane();
  const { keyPem: key, chainPem: cert } = reviews;
  const handshake = (options: ConnectionOptions) =>
    new Promise<string | undefined>((resolve, reject) => {
      const to = { host: "127.0.0.1", port: plane.addresses().xdsTls, ALPNProtocols: ["h2"] };
      const socket = connect({
        ...to,
        key,
        cert,
        ca: authority.rootPem,
        checkServerIdentity: () => undefined,
        ...options,
      });
      socket.on("error", reject);
      socket.on("secureConnect", () => {
        resolve(socket.getPeerCertificate().subjectaltname);
        socket.destroy();
      });
    });
  // The names are for Istio's agents, who look at those.
  const names =
    "DNS:localhost, DNS:istiod.istio-system.svc, DNS:istiod.istio-system.svc.cluster.local, IP Address:127.0.0.1";
  const name = `URI:spiffe://cluster.local/ns/limpid-system/sa/control-plane, ${names}`;
  expect(await handshake({ maxVersion: "TLSv1.2" })).toBe(name);
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await expect(handshake(old)).rejects.toThrow(/protocol version/);
});

test("state of the world, aggregated and by the service for secrets alone", async () => {
  const { tls } = await startPlane();
  const aggregated = makeTlsClient(AggregatedDiscoveryService, tls, shown());
  const alone = makeTlsClient(SecretDiscoveryService, tls, shown());
  closers.push(
    () => aggregated.close(),
    () => alone.close(),
  );
  for (const stream of [aggregated.streamAggregatedResources(), alone.streamSecrets()]) {
    stream.on("error", () => undefined);
    closers.push(() => stream.cancel());
    const response = new Promise<DiscoveryResponse>((resolve) => stream.once("data", resolve));
    const typeUrl = TypeUrl.secret;
    stream.write(create(DiscoveryRequestSchema, { node: node(), typeUrl, resourceNames: ["default", "ROOTCA"] }));
    expect(readSecrets((await response).resources.map(decode))).toMatchObject(reviewsSecrets);
  }
});

test("the whole configuration comes too, and on the plain port there are no secrets", async () => {
  await put(service("ratings"));
  const { tls, plain } = await startPlane();
  for (const { send, responses, secrets } of [deltaStream(tls, {}), deltaStream(plain)]) {
    send({ node: node(), typeUrl: TypeUrl.cluster });
    await vi.waitFor(() => expect(responses[0]?.resources.length).toBeGreaterThan(0));
    expect(secrets()).toEqual([]);
  }
  const plainProxy = deltaStream(plain);
  plainProxy.send(subscribe());
  await vi.waitFor(() => expect(plainProxy.responses).toHaveLength(1));
  expect(plainProxy.responses[0]).toMatchObject({ resources: [], removedResources: ["default", "ROOTCA"] });
});

test("without a certificate, or with one of a foreign authority, there is no stream", async () => {
  const { tls, plane } = await startPlane();
  const foreign = await openAuthority("foreign");
  const stranger = await foreign.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
  for (const certificate of [undefined, stranger]) {
    const { send, errors } = deltaStream(tls, { certificate });
    send(subscribe());
    await vi.waitFor(() => expect(errors[0]?.code).toBe(status.UNAVAILABLE));
  }
  expect(plane.metrics.value("limpid_certificates_issued_total")).toBe(1); // its own
});

test.each([
  [{}, 'namespace "default" and service account "default"'],
  [
    { SERVICE_ACCOUNT: "bookinfo-reviews", NAMESPACE: "shop" },
    'namespace "shop" and service account "bookinfo-reviews"',
  ],
])(
  "a node that is not whom its certificate names is turned away: %o",
  async (metadata: Record<string, string>, claim) => {
    const { tls, plane } = await startPlane();
    const { send, errors, responses } = deltaStream(tls, {});
    send(subscribe(undefined, metadata));
    await vi.waitFor(() => expect(errors[0]?.code).toBe(status.INVALID_ARGUMENT));
    expect(errors[0]?.details).toContain(claim);
    expect(errors[0]?.details).toContain(`it has shown itself as ${spiffeIdOf("bookinfo-reviews")}`);
    expect(responses).toEqual([]);
    expect(plane.metrics.value("limpid_certificates_issued_total")).toBe(1);
  },
);

test("a certificate is renewed on the open stream, which is nobody's change", async () => {
  await put(service("ratings"));
  const { tls, plane } = await startPlane();
  const [one, other] = [deltaStream(tls, {}), deltaStream(tls, {})];
  for (const { send } of [one, other]) {
    send(subscribe());
    send({ typeUrl: TypeUrl.cluster });
  }
  await vi.waitFor(() => expect([one, other].map(({ responses }) => responses.length)).toEqual([2, 2]));
  expect(one.secrets()).toEqual(other.secrets()); // one certificate for all of an identity
  const before = plane.pushes.get("latest");
  clock.advance(14 * hour);
  await vi.waitFor(() => expect([one, other].map(({ secrets }) => secrets().length)).toEqual([2, 2]));
  const [first, second] = one.secrets();
  expect(second?.map(({ name }) => name)).toEqual(["default"]); // the root is as it was
  const root = first?.filter(({ name }) => name === "ROOTCA") ?? [];
  const renewed = readSecrets([...(second ?? []), ...root]);
  expect(renewed).toMatchObject(reviewsSecrets);
  expect(renewed.serial).not.toBe(readSecrets(first ?? []).serial);
  expect(one.responses).toHaveLength(3);
  expect(plane.pushes.get("latest")).toEqual(before);
  expect(plane.metrics.value("limpid_certificates_renewed_total")).toBe(1);

  const { revision } = await put(service("details"));
  await vi.waitFor(() =>
    expect(plane.pushes.get(revision)).toMatchObject({ complete: true, proxies: [{ state: "acked" }] }),
  );
  expect(one.secrets()).toHaveLength(2);
});

test("a refused secret is told without its contents, and not to whoever changes the configuration meanwhile", async () => {
  await put(service("ratings"));
  const { tls, plane, logged } = await startPlane();
  const { send, responses, secrets, proxy } = deltaStream(tls, {});
  send(subscribe());
  send({ typeUrl: TypeUrl.cluster });
  await vi.waitFor(() => expect(responses).toHaveLength(2));
  proxy.answers[TypeUrl.cluster] = "later";
  const { revision } = await put(service("details"));
  await vi.waitFor(() => expect(responses).toHaveLength(3));
  const message = `goo.gle/debugonly tls_certificate { private_key { inline_bytes: "${reviews.keyPem}" } }`;
  proxy.answers[TypeUrl.secret] = { error: message };
  clock.advance(14 * hour);
  await vi.waitFor(() => expect(plane.metrics.value("limpid_xds_nacks_total", { type: "Secret" })).toBe(1));
  expect(secrets()).toHaveLength(2);
  expect(logged.some((line) => line.includes("quotes the secret"))).toBe(true);
  expect(logged.join("\n")).not.toMatch(/PRIVATE KEY|inline_bytes/);
  const nonce = responses.findLast(({ typeUrl }) => typeUrl === TypeUrl.cluster)?.nonce;
  send({ typeUrl: TypeUrl.cluster, responseNonce: nonce });
  expect(await plane.pushes.wait(revision, 60_000)).toMatchObject({
    complete: true,
    proxies: [{ state: "acked", error: null }],
  });
});

test("what is shown of secrets has certificates, and no key, refused or not", async () => {
  const { tls, plain, logged } = await startPlane();
  const { send, secrets, proxy } = deltaStream(tls, {});
  send(subscribe());
  await vi.waitFor(() => expect(secrets()).toHaveLength(1));
  const show = async () => {
    const answer = await clientStatus(plain);
    const encoded = Buffer.from(toBinary(ClientStatusResponseSchema, answer));
    expect(encoded.includes("PRIVATE KEY")).toBe(false);
    // Nor the key in another form.
    const [own] = secrets().at(-1) ?? [];
    if (own?.type.case !== "tlsCertificate") throw new Error("no certificate");
    const key = createPrivateKey(bytes(own.type.value.privateKey)).export({ format: "jwk" }).d ?? "";
    expect(encoded.includes(Buffer.from(key, "base64url"))).toBe(false);
    return answer.config[0]?.genericXdsConfigs.filter(({ typeUrl }) => typeUrl === TypeUrl.secret);
  };
  const shownSecrets = await show();
  expect(shownSecrets?.map(({ name }) => name)).toEqual(["default", "ROOTCA"]);
  const [own, root] = shownSecrets?.map(({ xdsConfig }) => xdsConfig && decode(xdsConfig)) ?? [];
  expect(own?.type.value).toMatchObject({ privateKey: { specifier: { case: "inlineString", value: "[redacted]" } } });
  const sent = secrets()[0]?.find(({ name }) => name === "default");
  if (own?.type.case !== "tlsCertificate" || sent?.type.case !== "tlsCertificate") throw new Error("no certificate");
  expect(bytes(own.type.value.certificateChain)).toBe(bytes(sent.type.value.certificateChain));
  if (root?.type.case !== "validationContext") throw new Error("no root");
  expect(bytes(root.type.value.trustedCa)).toBe(authority.rootPem);

  proxy.answers[TypeUrl.secret] = { error: "no" };
  clock.advance(14 * hour);
  await vi.waitFor(() => expect(secrets()).toHaveLength(2));
  await vi.waitFor(async () => {
    const failed = (await show())?.find(({ name }) => name === "default")?.errorState?.failedConfiguration;
    expect(failed && decode(failed)).toMatchObject({
      type: { value: { privateKey: { specifier: { value: "[redacted]" } } } },
    });
  });
  expect(logged.join("\n")).not.toContain("PRIVATE KEY");
});

test("the dashboard's reader has identity, certificate and the secrets' state; of a proxy in plain text none", async () => {
  const { tls, plain } = await startPlane();
  const { send, secrets } = deltaStream(tls, {});
  send(subscribe());
  await vi.waitFor(() => expect(secrets()).toHaveLength(1));
  const sent = secrets()[0]?.find(({ name }) => name === "default");
  if (sent?.type.case !== "tlsCertificate") throw new Error("no certificate");
  const leaf = new X509Certificate(bytes(sent.type.value.certificateChain));
  await vi.waitFor(async () => {
    const [status] = await fetchProxyStatuses(plain, { contents: { type: "SDS", name: "default" } });
    expect(status).toMatchObject({
      identity: leaf.subjectAltName?.slice("URI:".length),
      certificate: {
        serial: leaf.serialNumber.toLowerCase(),
        issuer: "O=cluster.local",
        notBeforeMs: leaf.validFromDate.getTime(),
        notAfterMs: leaf.validToDate.getTime(),
      },
      types: { SDS: { state: "SYNCED", resources: 2 } },
    });
    const shownSecret = JSON.stringify(
      status?.resources.find(({ type, name }) => type === "SDS" && name === "default"),
    );
    expect(shownSecret).toContain("-----BEGIN CERTIFICATE-----");
    expect(shownSecret).toContain('"privateKey":{"inlineString":"[redacted]"}');
  });
});

/** An authority whose certificates come when told. */
function slowAuthority() {
  const pending: (() => void)[] = [];
  const slow: CertificateAuthority = {
    ...authority,
    async issue(request) {
      if (!request.spiffeUri.endsWith("/control-plane")) await new Promise<void>((done) => pending.push(done));
      return await authority.issue(request);
    },
  };
  return { slow, release: () => pending.splice(0).map((done) => done()), pending };
}

test("while the first certificate is issued a proxy gets nothing, and then the mesh as it is by then", async () => {
  const { slow, release, pending } = slowAuthority();
  const { tls, plane } = await startPlane({ authority: slow });
  const [stays, leaves] = [deltaStream(tls, {}), deltaStream(tls, {})];
  for (const { send } of [stays, leaves]) send({ node: node(), typeUrl: TypeUrl.cluster });
  await vi.waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(2));
  expect(pending).toHaveLength(1);
  closers.pop()?.(); // the second leaves
  await vi.waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(1));
  const { revision } = await put(service("ratings"));
  await vi.waitFor(() => expect(plane.pushes.get(revision)?.complete).toBe(true));
  expect(stays.responses).toEqual([]);
  release();
  await vi.waitFor(() => expect(stays.responses).toHaveLength(1));
  expect(stays.responses[0]?.systemVersionInfo).toBe(String(revision));
  expect(stays.responses[0]?.resources.some(({ name }) => name.includes("ratings"))).toBe(true);
});

test("a proxy whose certificate does not come is sent away to come back", async () => {
  const { slow } = slowAuthority();
  const { tls, plane } = await startPlane({ authority: slow });
  const { send, errors, responses } = deltaStream(tls, {});
  send(subscribe());
  await vi.waitFor(() => expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(1));
  clock.advance(15_000);
  await vi.waitFor(() => expect(errors[0]?.code).toBe(status.UNAVAILABLE));
  expect(errors[0]?.details).toContain("no certificate could be issued");
  expect(responses).toEqual([]);
  expect(plane.metrics.value("limpid_xds_connected_proxies")).toBe(0);
});
