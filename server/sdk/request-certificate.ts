import { createHash, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { credentials, Metadata, makeClientConstructor } from "@grpc/grpc-js";
import { controlPlaneIdentity } from "../ca/control-plane-identity.ts";
import { generateKeys, toPem } from "../ca/keys.ts";
import { createSigningRequest } from "../ca/signing-request.ts";
import {
  IstioCertificateRequestSchema,
  type IstioCertificateResponse,
  IstioCertificateService,
} from "../gen/proto/istio/security/v1alpha1/ca_pb.js";
import { type ServiceClient, serviceDefinition } from "../lib/grpc.ts";
import { parseSpiffeUri } from "../lib/spiffe.ts";

export interface Obtained {
  /** PKCS #8. It was made here, and nobody else has it. */
  keyPem: string;
  chainPem: string;
  rootPem: string;
  identity: string;
}

type Proof = { token: string } | { certificate: { keyPem: string; chainPem: string } };

const timeoutMs = 15_000;

/** A key made here, with a certificate from the control plane at `host:port`, which must lead to the root. Throws an Error of one sentence. */
export async function requestCertificate(
  at: { host: string; port: number },
  rootPem: string,
  proof: Proof,
): Promise<Obtained> {
  const keys = await generateKeys();
  const csr = await createSigningRequest(keys);
  const Constructor = makeClientConstructor(
    serviceDefinition(IstioCertificateService),
    IstioCertificateService.typeName,
  );
  const ssl = controlPlaneCredentials(rootPem, "certificate" in proof ? proof.certificate : undefined);
  const client = new Constructor(`${at.host}:${at.port}`, ssl, controlPlaneChannel) as unknown as ServiceClient<
    typeof IstioCertificateService.method
  >;
  const metadata = new Metadata();
  if ("token" in proof) metadata.set("authorization", `Bearer ${proof.token}`);
  try {
    const { certChain } = await new Promise<IstioCertificateResponse>((resolve, reject) =>
      client.createCertificate(
        create(IstioCertificateRequestSchema, { csr }),
        metadata,
        { deadline: Date.now() + timeoutMs },
        (error, response) => (response ? resolve(response) : reject(error)),
      ),
    );
    const [leaf = "", ...rest] = certChain;
    const root = rest.pop() ?? rootPem;
    const identity = (new X509Certificate(leaf).subjectAltName ?? "").replace("URI:", "");
    return { keyPem: toPem(keys.privateKey), chainPem: [leaf, ...rest].join(""), rootPem: root, identity };
  } catch (error) {
    const { details = String(error) } = error as { details?: string };
    throw new Error(`the control plane at ${at.host}:${at.port} signed no certificate: ${details}`);
  } finally {
    client.close();
  }
}

/** For calls to a control plane whose root is known. @param own what the caller shows of itself; undefined: nothing */
export const controlPlaneCredentials = (rootPem: string, own?: { keyPem: string; chainPem: string }) =>
  credentials.createSsl(
    Buffer.from(rootPem),
    own ? Buffer.from(own.keyPem) : null,
    own ? Buffer.from(own.chainPem) : null,
    { checkServerIdentity: (_, { subjectaltname }) => wrongServer(subjectaltname) },
  );

export const controlPlaneChannel = { "grpc.ssl_target_name_override": "control-plane" };

/** It shows who it is by its SPIFFE id; the host that was dialled says nothing. */
function wrongServer(subjectAltName: string | undefined): Error | undefined {
  const names = (subjectAltName ?? "").split(", ");
  const uri = names.find((name) => name.startsWith("URI:"))?.slice("URI:".length) ?? "it";
  const { trustDomain = "" } = parseSpiffeUri(uri) ?? {};
  return uri === controlPlaneIdentity(trustDomain) ? undefined : new Error(`${uri} is no control plane`);
}

/** The root that a server's chain leads to, when it is the one whose SHA-256 a token says. Throws an Error of one sentence. */
export function pinnedRoot(at: { host: string; port: number }, sha256: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${at.host}:${at.port}: ${why}`));
    // Nothing is sent before the root is known: the chain is all that is looked at.
    const socket = connect({ ...at, rejectUnauthorized: false, ALPNProtocols: ["h2"], timeout: timeoutMs }, () => {
      let certificate = socket.getPeerX509Certificate();
      while (certificate?.issuerCertificate && certificate.issuerCertificate !== certificate) {
        certificate = certificate.issuerCertificate;
      }
      socket.destroy();
      const found = certificate && createHash("sha256").update(certificate.raw).digest("base64url");
      if (certificate !== undefined && found === sha256) resolve(certificate.toString());
      else fail("is not the control plane that the token is of: it shows another root");
    });
    socket.on("timeout", () => socket.destroy(new Error("no answer in time")));
    socket.on("error", (error) => fail(error.message));
  });
}
