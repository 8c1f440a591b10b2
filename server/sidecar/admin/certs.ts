import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CertificateDetailsSchema, CertificatesSchema } from "../../gen/proto/envoy/admin/v3/certs_pb.js";
import type { CertificateInfo } from "../tls/certificate-info.ts";
import type { CertsView } from "./views.ts";

const dayMs = 86_400_000;

/** The JSON of an `envoy.admin.v3.Certificates`. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--certs */
export function certsJson(views: readonly CertsView[], nowMs = Date.now()): string {
  const all = (part: CertsView["chain"]) =>
    (part?.certificates ?? []).map((certificate) => details(certificate, part?.path ?? "", nowMs));
  const certificates = create(CertificatesSchema, {
    certificates: views.map(({ chain, authorities }) => ({ caCert: all(authorities), certChain: all(chain) })),
  });
  const options = { useProtoFieldName: true, alwaysEmitImplicit: true };
  return `${JSON.stringify(toJson(CertificatesSchema, certificates, options), null, 1)}\n`;
}

function details(
  { serialNumber, uris, dns, ips, validFromMs, validToMs }: CertificateInfo,
  path: string,
  nowMs: number,
): MessageInitShape<typeof CertificateDetailsSchema> {
  return {
    path,
    serialNumber,
    subjectAltNames: [
      ...dns.map((value) => ({ name: { case: "dns" as const, value } })),
      ...uris.map((value) => ({ name: { case: "uri" as const, value } })),
      ...ips.map((value) => ({ name: { case: "ipAddress" as const, value } })),
    ],
    daysUntilExpiration: BigInt(Math.max(0, Math.floor((validToMs - nowMs) / dayMs))),
    validFrom: timestampFromMs(validFromMs),
    expirationTime: timestampFromMs(validToMs),
  };
}
