import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcher,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { compileString } from "../match/string-matcher.ts";

/** Whether a certificate carries a name that is wanted. */
export type SanMatcher = (certificate: PeerCertificate) => boolean;

/** Throws an Error naming the field. */
export const compileSans = (matchers: readonly SubjectAltNameMatcher[], path: string): SanMatcher[] =>
  matchers.map((matcher, index) => {
    try {
      return compileSan(matcher);
    } catch (cause) {
      throw new Error(`${path}.match_typed_subject_alt_names[${index}].${(cause as Error).message}`);
    }
  });

/** Names of one type in Node's list of them: `URI:a, DNS:b`. */
export const namesOf = (subjectAltName: string | undefined, prefix: string): string[] =>
  (subjectAltName ?? "").split(", ").flatMap((entry) => (entry.startsWith(prefix) ? [entry.slice(prefix.length)] : []));

const prefixes: Partial<Record<SanType, string>> = {
  [SanType.DNS]: "DNS:",
  [SanType.URI]: "URI:",
  [SanType.IP_ADDRESS]: "IP Address:",
  [SanType.EMAIL]: "email:",
};

function compileSan({ sanType, matcher }: SubjectAltNameMatcher): SanMatcher {
  const prefix = prefixes[sanType];
  if (prefix === undefined) throw new Error(`san_type: ${SanType[sanType]} is not supported`);
  if (matcher === undefined) throw new Error("matcher: required");
  // An exact DNS name is met by a wildcard of the certificate's, too: RFC 6125, 6.4.3.
  if (sanType === SanType.DNS && matcher.matchPattern.case === "exact") {
    const name = matcher.matchPattern.value;
    return (certificate) =>
      certificate.subjectaltname !== undefined && checkServerIdentity(name, certificate) === undefined;
  }
  const test = compileString(matcher);
  return ({ subjectaltname }) => namesOf(subjectaltname, prefix).some(test);
}
