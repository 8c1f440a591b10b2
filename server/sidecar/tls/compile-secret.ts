import type { Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { compileOwnCertificate, type OwnCertificate } from "./own-certificate.ts";
import { compileValidation, type Validation } from "./validation.ts";

export type SecretKind = "tls_certificate" | "validation_context";

/** Throws an Error that names the field, never what is in it. */
export function compileSecret({ type }: Secret, kind: SecretKind): OwnCertificate | Validation {
  if (type.case === "tlsCertificate" && kind === "tls_certificate") {
    return compileOwnCertificate(type.value, "tls_certificate");
  }
  if (type.case === "validationContext" && kind === "validation_context") {
    return compileValidation(type.value, "validation_context");
  }
  throw new Error(`${kind}: required, since a TLS context refers to it as one`);
}
