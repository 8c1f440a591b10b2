import { X509Certificate } from "node:crypto";
import { type ConnectionOptions, connect } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { openBootstrapAuthority } from "../ca/bootstrap-authority.ts";
import { spiffeIdOf } from "../ca/testing/tls.ts";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import { makeTlsClient } from "../xds/testing/tls-client.ts";
import { TypeUrl } from "../xds/types.ts";
import {
  bytes,
  CertifiedMesh,
  decode,
  node,
  reviewsSecrets,
  service,
  subscribe,
  waitFor,
} from "./testing/certified-mesh.ts";

const mesh = new CertifiedMesh();

test("a proxy comes with a bootstrap certificate, and takes no place from the anonymous ones, nor they from it", async () => {
  const bootstrap = await openBootstrapAuthority(mesh.folder, { clock: mesh.clock, trustDomain: "cluster.local" });
  const certificate = await bootstrap.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
  const { plain, tls } = await mesh.startPlane({ bootstrapRoots: bootstrap.rootPem, limits: { sessions: 1 } });
  const anonymous = [mesh.deltaStream(plain), mesh.deltaStream(plain)];
  for (const { send } of anonymous) send({ node: node(), typeUrl: TypeUrl.cluster });
  await waitFor(() => expect(anonymous.flatMap(({ errors }) => errors)).toHaveLength(1));
  const certified = mesh.deltaStream(tls, { certificate });
  certified.send(subscribe());
  await waitFor(() => expect(certified.secrets().flat()).toHaveLength(2));
  const [own] = certified
    .secrets()
    .flat()
    .filter(({ name }) => name === "default");
  const chain = own?.type.case === "tlsCertificate" ? bytes(own.type.value.certificateChain) : "";
  // What it gets for the mesh is of the mesh's mesh.authority.
  expect(new X509Certificate(chain).verify(new X509Certificate(mesh.authority.rootPem).publicKey)).toBe(true);
});

test("incremental: a workload gets its certificate and the root", async () => {
  const { tls, plane } = await mesh.startPlane();
  const { send, secrets } = mesh.deltaStream(tls, {});
  send(subscribe());
  await waitFor(() => expect(secrets()).toHaveLength(1));
  expect(mesh.readSecrets(secrets()[0] ?? [])).toMatchObject(reviewsSecrets);
  expect(plane.metrics.value("limpid_certificates_issued_total")).toBe(2);
  expect(plane.metrics.value("limpid_certificate_expiry_seconds")).toBeGreaterThan(86_390);
});

test("the server shows who it is, and speaks TLS 1.2 or newer", async () => {
  const { plane } = await mesh.startPlane();
  const { keyPem: key, chainPem: cert } = mesh.reviews;
  const handshake = (options: ConnectionOptions) =>
    new Promise<string | undefined>((resolve, reject) => {
      const to = { host: "127.0.0.1", port: plane.addresses().xdsTls, ALPNProtocols: ["h2"] };
      const socket = connect({
        ...to,
        key,
        cert,
        ca: mesh.authority.rootPem,
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
  const { tls } = await mesh.startPlane();
  const aggregated = makeTlsClient(AggregatedDiscoveryService, tls, mesh.shown());
  const alone = makeTlsClient(SecretDiscoveryService, tls, mesh.shown());
  mesh.closers.push(
    () => aggregated.close(),
    () => alone.close(),
  );
  for (const stream of [aggregated.streamAggregatedResources(), alone.streamSecrets()]) {
    stream.on("error", () => undefined);
    mesh.closers.push(() => stream.cancel());
    const response = new Promise<DiscoveryResponse>((resolve) => stream.once("data", resolve));
    const typeUrl = TypeUrl.secret;
    stream.write(create(DiscoveryRequestSchema, { node: node(), typeUrl, resourceNames: ["default", "ROOTCA"] }));
    expect(mesh.readSecrets((await response).resources.map(decode))).toMatchObject(reviewsSecrets);
  }
});

test("the whole configuration comes too, and on the plain port there are no secrets", async () => {
  await mesh.put(service("ratings"));
  const { tls, plain } = await mesh.startPlane();
  for (const { send, responses, secrets } of [mesh.deltaStream(tls, {}), mesh.deltaStream(plain)]) {
    send({ node: node(), typeUrl: TypeUrl.cluster });
    await waitFor(() => expect(responses[0]?.resources.length).toBeGreaterThan(0));
    expect(secrets()).toEqual([]);
  }
  const plainProxy = mesh.deltaStream(plain);
  plainProxy.send(subscribe());
  await waitFor(() => expect(plainProxy.responses).toHaveLength(1));
  expect(plainProxy.responses[0]).toMatchObject({ resources: [], removedResources: ["default", "ROOTCA"] });
});

test("without a certificate, or with one of a foreign authority, there is no stream", async () => {
  const { tls, plane } = await mesh.startPlane();
  const foreign = await mesh.openAuthority("foreign");
  const stranger = await foreign.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
  for (const certificate of [undefined, stranger]) {
    const { send, errors } = mesh.deltaStream(tls, { certificate });
    send(subscribe());
    await waitFor(() => expect(errors[0]?.code).toBe(status.UNAVAILABLE));
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
    const { tls, plane } = await mesh.startPlane();
    const { send, errors, responses } = mesh.deltaStream(tls, {});
    send(subscribe(undefined, metadata));
    await waitFor(() => expect(errors[0]?.code).toBe(status.INVALID_ARGUMENT));
    expect(errors[0]?.details).toContain(claim);
    expect(errors[0]?.details).toContain(`it has shown itself as ${spiffeIdOf("bookinfo-reviews")}`);
    expect(responses).toEqual([]);
    expect(plane.metrics.value("limpid_certificates_issued_total")).toBe(1);
  },
);
