import { X509Certificate } from "node:crypto";
import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type CertificateDetailsSchema, CertificatesSchema } from "../../gen/proto/envoy/admin/v3/certs_pb.js";
import { namesOf } from "../tls/san-matcher.ts";
import type { TlsView } from "./views.ts";

/** The JSON of an `envoy.admin.v3.Certificates`: of each TLS context the authority and the own certificate. https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--certs */
export function certsJson(contexts: readonly TlsView[], now: number): string {
  const certificates = contexts.map(({ authorities, chain }) => ({
    caCert: authorities === undefined ? [] : [details(authorities, now)],
    certChain: chain === undefined ? [] : [details(chain, now)],
  }));
  const json = toJson(CertificatesSchema, create(CertificatesSchema, { certificates }), { useProtoFieldName: true });
  return `${JSON.stringify(json, null, 1)}\n`;
}

/** Of the first certificate, as Envoy does. */
function details(pem: string, now: number): MessageInitShape<typeof CertificateDetailsSchema> {
  const certificate = new X509Certificate(pem);
  const names = (["uri", "dns"] as const).flatMap((kind) =>
    namesOf(certificate.subjectAltName, kind === "uri" ? "URI:" : "DNS:").map((value) => ({
      name: { case: kind, value },
    })),
  );
  const end = certificate.validToDate.getTime();
  return {
    path: "<inline>",
    serialNumber: certificate.serialNumber.toLowerCase(),
    subjectAltNames: names,
    daysUntilExpiration: BigInt(Math.max(0, Math.floor((end - now) / dayMs))),
    validFrom: timestampFromMs(certificate.validFromDate.getTime()),
    expirationTime: timestampFromMs(end),
  };
}

const dayMs = 24 * 3_600_000;
