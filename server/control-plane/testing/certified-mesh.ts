import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, vi } from "vitest";
import {
  type CertificateAuthority,
  type IssuedCertificate,
  openCertificateAuthority,
} from "../../ca/certificate-authority.ts";
import { spiffeIdOf, tempFolder } from "../../ca/testing/tls.ts";
import { parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { type Secret, SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { AggregatedDiscoveryService } from "../../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  DeltaDiscoveryRequestSchema,
  type DeltaDiscoveryResponse,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { makeClient } from "../../lib/grpc.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { makeTlsClient } from "../../xds/testing/tls-client.ts";
import { TypeUrl } from "../../xds/types.ts";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "../control-plane.ts";

export const hour = 3_600_000;

/** A busy machine takes its time over a handshake. */
export const waitFor = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, 20_000);

interface Plane {
  plane: ControlPlane;
  /** Everything that was logged, as JSON. */
  logged: string[];
  plain: string;
  tls: string;
}

interface Access {
  root?: string;
  certificate?: IssuedCertificate | undefined;
}

/** A control plane that gives certificates, and proxies that come with one; anew for each test of the file that calls it. */
export class CertifiedMesh {
  readonly closers: (() => unknown)[] = [];
  clock = new FakeClock();
  #made:
    | { store: MemoryConfigStore; authority: CertificateAuthority; folder: string; reviews: IssuedCertificate }
    | undefined;

  constructor() {
    beforeEach(async () => {
      this.clock = new FakeClock();
      this.clock.time = Date.now();
      const [folder, clean] = await tempFolder();
      this.closers.push(clean);
      const authority = await this.#open(join(folder, "ca"));
      const reviews = await authority.issue({ spiffeUri: spiffeIdOf("bookinfo-reviews"), ttlSec: 86_400 });
      this.#made = { store: new MemoryConfigStore(), authority, folder, reviews };
    });
    afterEach(async () => {
      for (const close of this.closers.splice(0).reverse()) await close();
    });
  }

  get #all() {
    if (!this.#made) throw new Error("only within a test");
    return this.#made;
  }
  get authority(): CertificateAuthority {
    return this.#all.authority;
  }
  get folder(): string {
    return this.#all.folder;
  }
  /** Who asks: namespace default, service account bookinfo-reviews. */
  get reviews(): IssuedCertificate {
    return this.#all.reviews;
  }

  #open(path: string): Promise<CertificateAuthority> {
    return openCertificateAuthority(path, { clock: this.clock, trustDomain: "cluster.local" });
  }
  openAuthority(name: string): Promise<CertificateAuthority> {
    return this.#open(join(this.folder, name));
  }

  async startPlane(options: Partial<ControlPlaneOptions> = {}): Promise<Plane> {
    const logged: string[] = [];
    const { clock } = this;
    const { store, authority } = this.#all;
    const logger = { ...silentLogger, ...logInto(logged) };
    const plane = createControlPlane({ store, xdsPort: 0, xdsTls: { port: 0 }, authority, clock, logger, ...options });
    await plane.start();
    this.closers.push(() => plane.stop());
    const { xds, xdsTls } = plane.addresses();
    return { plane, logged, plain: `127.0.0.1:${xds}`, tls: `127.0.0.1:${xdsTls}` };
  }

  shown(access: Access = {}) {
    return { root: this.authority.rootPem, certificate: this.reviews, ...access };
  }

  put(yaml: string) {
    const parsed = parseDocuments(yaml);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return this.#all.store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
  }

  /** An incremental stream that acknowledges what it gets. */
  deltaStream(target: string, access?: Access) {
    const client = access
      ? makeTlsClient(AggregatedDiscoveryService, target, this.shown(access))
      : makeClient(AggregatedDiscoveryService, target);
    this.closers.push(() => client.close());
    const stream = client.deltaAggregatedResources();
    this.closers.push(() => stream.cancel());
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

  /** What a pair of secrets means: whose certificate, with a key that fits it, below which root. */
  readSecrets(secrets: readonly Secret[]) {
    const [own, root] = ["default", "ROOTCA"].map((name) => secrets.find((secret) => secret.name === name)?.type);
    if (own?.case !== "tlsCertificate" || root?.case !== "validationContext") throw new Error("not both secrets");
    const certificate = new X509Certificate(bytes(own.value.certificateChain));
    const rootPem = bytes(root.value.trustedCa);
    return {
      serial: certificate.serialNumber,
      name: certificate.subjectAltName,
      keyFits: certificate.checkPrivateKey(createPrivateKey(bytes(own.value.privateKey))),
      trusted: rootPem === this.authority.rootPem && certificate.verify(new X509Certificate(rootPem).publicKey),
    };
  }
}

const logInto = (lines: string[]) => {
  const log = (...args: unknown[]) =>
    void lines.push(JSON.stringify(args, (_, value) => (value instanceof Error ? String(value) : value)));
  return { info: log, warn: log, error: log };
};

export const node = (metadata: Record<string, string> = { SERVICE_ACCOUNT: "bookinfo-reviews" }) =>
  ({
    id: "sidecar~127.0.1.1~reviews-v1.default~default.svc.cluster.local",
    metadata: { INTERCEPTION_MODE: "NONE", ...metadata },
  }) satisfies MessageInitShape<typeof DeltaDiscoveryRequestSchema>["node"] & Partial<Pick<Node, "id">>;

export const subscribe = (names = ["default", "ROOTCA"], metadata?: Record<string, string>) => ({
  node: node(metadata),
  typeUrl: TypeUrl.secret,
  resourceNamesSubscribe: names,
});

export const decode = ({ value }: { value: Uint8Array }): Secret => fromBinary(SecretSchema, value);

export const bytes = (source: { specifier: { case?: string | undefined; value?: unknown } } | undefined): string => {
  if (source?.specifier.case !== "inlineBytes") throw new Error(`not inline_bytes but ${source?.specifier.case}`);
  return Buffer.from(source.specifier.value as Uint8Array).toString();
};

export const reviewsSecrets = {
  name: `URI:${spiffeIdOf("bookinfo-reviews")}`,
  keyFits: true,
  trusted: true,
};

export const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
`;
