import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ChannelCredentials, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/certificate-authority.ts";
import { generateKeys } from "../../ca/keys.ts";
import { createSigningRequest } from "../../ca/signing-request.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { AggregatedDiscoveryService } from "../../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { DiscoveryRequestSchema } from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { ClientStatusDiscoveryService } from "../../gen/proto/envoy/service/status/v3/csds_pb.js";
import {
  IstioCertificateRequestSchema,
  IstioCertificateService,
} from "../../gen/proto/istio/security/v1alpha1/ca_pb.js";
import { systemClock as clock } from "../../lib/clock.ts";
import { makeClient } from "../../lib/grpc.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { TypeUrl } from "../../xds/types.ts";
import { type ControlPlane, createControlPlane } from "../control-plane.ts";
import { apiServerCall, apiServerOf } from "./kubernetes-api.ts";
import { startApiServer, type TestApiServer } from "./testing/api-server.ts";
import { createTokenReviewer } from "./token-review.ts";

const closers: (() => unknown)[] = [];
let api: TestApiServer;
let plane: ControlPlane;
let authority: CertificateAuthority;
let target: string;

beforeEach(async () => {
  const [folder, clean] = await tempFolder();
  closers.push(clean);
  api = await startApiServer(join(folder, "kubernetes"), "reviewer");
  closers.push(() => api.close());
  for (const [name, content] of Object.entries({ "ca.crt": api.ca, token: "reviewer\n" }))
    await writeFile(join(folder, name), content);
  const server = apiServerOf({
    LIMPID_KUBERNETES_API: api.url,
    LIMPID_KUBERNETES_CA_FILE: join(folder, "ca.crt"),
    LIMPID_KUBERNETES_TOKEN_FILE: join(folder, "token"),
  });
  if (server === undefined) throw new Error("no API server");
  authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
  plane = createControlPlane({
    store: new MemoryConfigStore({ clock }),
    xdsPort: 0,
    xdsTls: { port: 0 },
    authority,
    tokenReviewer: createTokenReviewer({ call: apiServerCall(server), audiences: ["istio-ca"], clock, logger }),
    clock,
    logger,
  });
  await plane.start();
  closers.push(() => plane.stop());
  target = `127.0.0.1:${plane.addresses().xdsTls}`;
  api.accounts.set("web", { username: "system:serviceaccount:shop:web", audiences: ["istio-ca"] });
  api.accounts.set("other", { username: "system:serviceaccount:shop:web", audiences: ["https://kubernetes"] });
  api.accounts.set("person", { username: "ann", audiences: ["istio-ca"] });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** As an agent of Istio's connects: it knows the root, and has no certificate yet. */
const anonymous = () => credentials.createSsl(Buffer.from(authority.rootPem));
const bearer = (token?: string): Metadata => {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  return metadata;
};

async function certificateFor(token: string | undefined, by: ChannelCredentials = anonymous()) {
  const client = makeClient(IstioCertificateService, target, {}, by);
  closers.push(() => client.close());
  const csr = await createSigningRequest(await generateKeys());
  return await new Promise<{ uri?: string | undefined; error?: ServiceError }>((done) =>
    client.createCertificate(
      create(IstioCertificateRequestSchema, { csr }),
      bearer(token),
      { deadline: Date.now() + 15_000 },
      (error, response) =>
        done(error ? { error } : { uri: new X509Certificate(response?.certChain[0] ?? "").subjectAltName }),
    ),
  );
}

/** The type of the first answer on an ADS stream, or the status that ended it. */
function discover(token: string | undefined, node: { namespace: string; account: string }): Promise<string> {
  const client = makeClient(AggregatedDiscoveryService, target, {}, anonymous());
  closers.push(() => client.close());
  const call = client.streamAggregatedResources(bearer(token));
  const request = create(DiscoveryRequestSchema, {
    typeUrl: TypeUrl.cluster,
    node: {
      id: `sidecar~127.0.0.1~web-1.${node.namespace}~${node.namespace}.svc.cluster.local`,
      metadata: { NAMESPACE: node.namespace, SERVICE_ACCOUNT: node.account, INTERCEPTION_MODE: "NONE" },
    },
  });
  return new Promise((done) => {
    call.on("data", ({ typeUrl }) => {
      done(typeUrl);
      call.cancel();
    });
    call.on("error", (error: ServiceError) => done(`${status[error.code]}: ${error.details}`));
    call.write(request);
  });
}

describe("certificates by a token of Kubernetes", () => {
  it("are of the account that the API server names", async () => {
    expect(await certificateFor("web")).toEqual({ uri: "URI:spiffe://cluster.local/ns/shop/sa/web" });
    expect(plane.identities?.register.list().at(-1)).toMatchObject({
      by: "kubernetes",
      spiffeUri: "spiffe://cluster.local/ns/shop/sa/web",
    });
  });

  it.each<[string, string | undefined, status, RegExp]>([
    ["none", undefined, status.UNAUTHENTICATED, /a certificate of the mesh is needed here, or a token/],
    ["an unknown one", "x", status.UNAUTHENTICATED, /invalid bearer token/],
    ["one for another audience", "other", status.UNAUTHENTICATED, /audiences do not match/],
    ["a person's", "person", status.UNAUTHENTICATED, /"ann", which is no service account/],
    ["a huge one", "x".repeat(17_000), status.UNAUTHENTICATED, /16384 bytes at the most|metadata/],
    ["a join token", "limpid-join-00000000.abc", status.UNAUTHENTICATED, /invalid bearer token/],
  ])("are not given for a token that is %s", async (_, token, code, details) => {
    const { error } = await certificateFor(token);
    expect(error).toMatchObject({ code, details: expect.stringMatching(details) });
  });

  it("are not given to whom was revoked, whatever the API server says", async () => {
    plane.identities?.revoke("spiffe://cluster.local/ns/shop/sa/web", "stolen");
    const { error } = await certificateFor("web");
    expect(error).toMatchObject({ code: status.PERMISSION_DENIED, details: expect.stringContaining("was revoked") });
  });

  it("wait for an API server that is away: it is asked again", async () => {
    api.failing = { status: 500, text: '{"message":"etcd is away"}' };
    expect((await certificateFor("web")).error).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining("answered 500: etcd is away"),
    });
    api.failing = { status: 201, text: "[]" };
    expect((await certificateFor("web")).error?.details).toContain("its answer is no TokenReview");
    api.failing = undefined;
    expect((await certificateFor("web")).uri).toContain("/ns/shop/sa/web");
  });

  it("ask the API server once, for many at once", async () => {
    await Promise.all([1, 2, 3, 4].map(() => certificateFor("web")));
    expect(api.reviewed).toEqual(["web"]);
  });
});

describe("xDS by a token of Kubernetes", () => {
  it("serves the node whose account the token is of, and no other", async () => {
    expect(await discover("web", { namespace: "shop", account: "web" })).toBe(TypeUrl.cluster);
    expect(await discover("web", { namespace: "shop", account: "root" })).toMatch(/INVALID_ARGUMENT: the node says/);
    expect(await discover("web", { namespace: "bank", account: "web" })).toMatch(/INVALID_ARGUMENT: the node says/);
    expect(await discover("x", { namespace: "shop", account: "web" })).toMatch(/^UNAUTHENTICATED/);
    expect(await discover(undefined, { namespace: "shop", account: "web" })).toMatch(/^UNAUTHENTICATED/);
  });

  it("believes nobody who names an identity in metadata of their own", async () => {
    const client = makeClient(IstioCertificateService, target, {}, anonymous());
    closers.push(() => client.close());
    const metadata = bearer();
    metadata.set("limpid-token-identity", "spiffe://cluster.local/ns/shop/sa/web");
    const csr = await createSigningRequest(await generateKeys());
    for (const at of [target, `127.0.0.1:${plane.addresses().xds}`]) {
      const caller = makeClient(IstioCertificateService, at, {}, at === target ? anonymous() : undefined);
      closers.push(() => caller.close());
      const error = await new Promise<ServiceError | null>((done) =>
        caller.createCertificate(create(IstioCertificateRequestSchema, { csr }), metadata, {}, done),
      );
      expect(error?.code).toBe(status.UNAUTHENTICATED);
    }
  });

  it("tells nothing else to whoever shows nothing", async () => {
    const client = makeClient(ClientStatusDiscoveryService, target, {}, anonymous());
    closers.push(() => client.close());
    const error = await new Promise<ServiceError | null>((done) =>
      client.fetchClientStatus(
        { $typeName: "envoy.service.status.v3.ClientStatusRequest", nodeMatchers: [], excludeResourceContents: false },
        bearer(),
        {},
        done,
      ),
    );
    expect(error?.code).toBe(status.UNAUTHENTICATED);
  });

  it("turns away a certificate of somebody else's authority, also with a good token", async () => {
    const [folder, clean] = await tempFolder();
    closers.push(clean);
    const stranger = await openCertificateAuthority(folder, { clock, trustDomain: "cluster.local" });
    const { keyPem, chainPem } = await stranger.issue({
      spiffeUri: "spiffe://cluster.local/ns/shop/sa/web",
      ttlSec: 60,
    });
    const by = credentials.createSsl(Buffer.from(authority.rootPem), Buffer.from(keyPem), Buffer.from(chainPem));
    expect((await certificateFor("web", by)).error?.code).toBe(status.UNAVAILABLE);
  });
});
