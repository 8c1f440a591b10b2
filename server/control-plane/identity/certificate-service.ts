import { create } from "@bufbuild/protobuf";
import { type sendUnaryData, status } from "@grpc/grpc-js";
import type { CertificateAuthority } from "../../ca/certificate-authority.ts";
import { CertificateAuthorityError } from "../../ca/errors.ts";
import { readSigningRequest } from "../../ca/signing-request.ts";
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  IstioCertificateResponseSchema,
  IstioCertificateService,
} from "../../gen/proto/istio/security/v1alpha1/ca_pb.js";
import { addService, type ServiceHost, type SingleCall } from "../../lib/grpc.ts";
import type { Logger } from "../../lib/logger.ts";
import { certificateBlocks } from "../../lib/pem.ts";
import { parseSpiffeUri, spiffeUri } from "../../lib/spiffe.ts";
import { ownIdentity } from "../../model/trust-domains.ts";
import { peerIdentity, tokenIdentity } from "../../xds/peer-identity.ts";
import { RequestError } from "../../xds/request-error.ts";
import type { IdentityRegister, IssuedBy } from "./identity-register.ts";
import type { JoinTokens } from "./join-tokens.ts";

export interface CertificateServiceOptions {
  authority: CertificateAuthority;
  register: IdentityRegister;
  tokens: JoinTokens;
  /** The mesh's own first, then its aliases: who comes by a certificate of one of those gets one of its own. */
  trustDomains(): readonly string[];
  logger: Logger;
}

/** A day, as istiod has it; at most a week, for who asks for more. */
const usualTtlSec = 86_400;
const maxTtlSec = 7 * 86_400;

type Call = SingleCall<IstioCertificateRequest>;

/** Who asks, and how they proved it; throws a `Refusal`. */
type Authenticate = (call: Call) => { identity: string; by: IssuedBy };

class Refusal extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * `IstioCertificateService`: signs for keys that stay where they were made. `byCertificate` stands where clients show one, which is what is renewed, or
 * a token that Kubernetes knows; `byToken` where they can't, and a join token says who they are.
 */
export const certificateServices = (options: CertificateServiceOptions) => ({
  byCertificate: (server: ServiceHost) => add(server, options, fromCertificate),
  byToken: (server: ServiceHost) => add(server, options, (call) => fromToken(call, options)),
});

function add(server: ServiceHost, options: CertificateServiceOptions, authenticate: Authenticate): void {
  const report = (error: unknown) => options.logger.error({ err: error }, "a certificate could not be signed");
  addService(
    server,
    IstioCertificateService,
    { createCertificate: (call, callback) => void answer(call, callback, options, authenticate) },
    report,
  );
}

async function answer(
  call: Call,
  callback: sendUnaryData<IstioCertificateResponse>,
  options: CertificateServiceOptions,
  authenticate: Authenticate,
): Promise<void> {
  try {
    callback(null, await sign(call, options, authenticate));
  } catch (error) {
    const isOurs =
      error instanceof Refusal || error instanceof CertificateAuthorityError || error instanceof RequestError;
    if (!isOurs) options.logger.error({ err: error }, "a certificate could not be signed");
    const code = error instanceof Refusal ? error.code : isOurs ? status.INVALID_ARGUMENT : status.INTERNAL;
    callback({ code, details: isOurs ? error.message : "internal error" });
  }
}

async function sign(
  call: Call,
  { authority, register, trustDomains, logger }: CertificateServiceOptions,
  authenticate: Authenticate,
): Promise<IstioCertificateResponse> {
  const { csr, validityDuration } = call.request;
  // Before the token is used up: a request that can't be signed should not cost it.
  const publicKey = await readSigningRequest(csr);
  const { identity: shown, by } = authenticate(call);
  const identity = ownIdentity(shown, trustDomains());
  if (register.isRevoked(identity)) {
    throw new Refusal(status.PERMISSION_DENIED, `${identity} was revoked: it gets no certificate any more`);
  }
  const asked = Number(validityDuration);
  const ttlSec = asked > 0 ? Math.min(asked, maxTtlSec) : usualTtlSec;
  const { chainPem, serial, notBeforeMs, notAfterMs } = await authority.sign({
    spiffeUri: identity,
    ttlSec,
    publicKey,
  });
  register.add({ serial, spiffeUri: identity, notBeforeMs, notAfterMs, by });
  logger.info({ spiffeUri: identity, serial, by }, "certificate signed");
  return create(IstioCertificateResponseSchema, {
    certChain: [...certificateBlocks(chainPem).map((block) => `${block}\n`), authority.rootPem],
  });
}

function fromCertificate(call: Call): { identity: string; by: IssuedBy } {
  const identity = peerIdentity(call);
  if (identity === undefined) throw new Refusal(status.UNAUTHENTICATED, "a client certificate is required here");
  if (parseSpiffeUri(identity) === undefined) {
    throw new Refusal(status.PERMISSION_DENIED, `${identity} is no workload's identity`);
  }
  return { identity, by: tokenIdentity(call) === undefined ? "certificate" : "kubernetes" };
}

function fromToken(call: Call, { authority, tokens }: CertificateServiceOptions): { identity: string; by: IssuedBy } {
  const [header = ""] = call.metadata.get("authorization").map(String);
  const [, token] = /^Bearer (\S+)$/i.exec(header) ?? [];
  if (token === undefined)
    throw new Refusal(status.UNAUTHENTICATED, "a join token is required: authorization: Bearer <token>");
  const found = tokens.use(token);
  if (found === undefined)
    throw new Refusal(status.UNAUTHENTICATED, "the join token is none, was used before, or has ended");
  return { identity: spiffeUri({ trustDomain: authority.trustDomain, ...found }), by: "token" };
}
