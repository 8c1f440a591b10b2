import { X509Certificate } from "node:crypto";
import { fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { memo } from "../lib/memo.ts";
import type { Session } from "./session.ts";
import { type Resource, TypeUrl } from "./types.ts";

/** What may be told of the certificate that a proxy was given to show to other proxies; null: it has none. */
export function certificateFacts({ snapshot }: Pick<Session, "snapshot">): JsonObject | null {
  for (const resource of snapshot?.resources.get(TypeUrl.secret)?.values() ?? []) {
    const facts = factsOf(resource);
    if (facts !== null) return facts;
  }
  return null;
}

/** Read once for each certificate. */
const factsOf = (resource: Resource): JsonObject | null =>
  memo(resource, "certificate-facts", [], () => {
    const { type } = fromBinary(SecretSchema, resource.value);
    const chain = type.case === "tlsCertificate" ? type.value.certificateChain?.specifier : undefined;
    if (chain?.case !== "inlineBytes" && chain?.case !== "inlineString") return null;
    const certificate = new X509Certificate(Buffer.from(chain.value));
    return {
      serial: certificate.serialNumber.toLowerCase(),
      issuer: certificate.issuer.replaceAll("\n", ", "),
      notBefore: certificate.validFromDate.toISOString(),
      notAfter: certificate.validToDate.toISOString(),
    };
  });
