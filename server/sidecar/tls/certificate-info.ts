import type { X509Certificate } from "node:crypto";
import { altNames } from "./alt-names.ts";

/** What logs, headers and dumps say of a certificate; computed once for each. */
export interface CertificateInfo {
  /** SPIFFE ids among them. */
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  /** RFC 2253; may be empty. */
  readonly subject: string;
  readonly issuer: string;
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** SHA-256 of the DER form, lower-case hex. */
  readonly hash: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

export function certificateInfo(certificate: X509Certificate): CertificateInfo {
  const names = altNames(certificate.subjectAltName);
  const of = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    uris: of("URI"),
    dns: of("DNS"),
    ips: of("IP Address"),
    emails: of("email"),
    subject: rfc2253(certificate.subject),
    issuer: rfc2253(certificate.issuer),
    serialNumber: certificate.serialNumber.toLowerCase(),
    hash: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
  };
}

/**
 * Node writes the parts in the certificate's order and one a line, escaped as RFC 2253 wants; Envoy writes them last first in one line,
 * and bytes that are not ASCII as `\C3`. https://www.rfc-editor.org/rfc/rfc2253#section-2
 */
export const rfc2253 = (name: string | undefined): string =>
  (name ?? "")
    .split("\n")
    .reverse()
    .map((part) =>
      part
        .split(" + ")
        .reverse()
        .join("+")
        .replace(/\P{ASCII}+/gu, escaped),
    )
    .join(",");

const escaped = (text: string): string =>
  [...Buffer.from(text, "utf8")].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join("");
