import { create } from "@bufbuild/protobuf";
import type { IssuedCertificate } from "../../ca/certificate-authority.ts";
import { type Secret, SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { memo } from "../../lib/memo.ts";

/** The names that Istio's agent serves to its proxy: the workload's certificate, and what to trust. */
const names = { certificate: "default", root: "ROOTCA" } as const;

/** What a proxy of this identity is sent over SDS. One map for each certificate, so that it is encoded once for all who share it. */
export function secretsOf(certificate: IssuedCertificate, rootPem: string): ReadonlyMap<string, Secret> {
  return memo(certificate, "secrets", [rootPem], () => {
    const { chainPem, keyPem } = certificate;
    const type = { certificateChain: inline(chainPem), privateKey: inline(keyPem) };
    const own = create(SecretSchema, { name: names.certificate, type: { case: "tlsCertificate", value: type } });
    const trusted = { trustedCa: inline(rootPem) };
    const root = create(SecretSchema, { name: names.root, type: { case: "validationContext", value: trusted } });
    return new Map([own, root].map((secret) => [secret.name, secret]));
  });
}

const inline = (pem: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(pem) } });
