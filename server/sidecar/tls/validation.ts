import { createHash, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  type CertificateValidationContext,
  SubjectAltNameMatcher_SanType as SanType,
  type SubjectAltNameMatcher,
  CertificateValidationContext_TrustChainVerification as TrustChain,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { compileString } from "../text/string-matcher.ts";
import { type AltName, altNames } from "./alt-names.ts";
import { type CertificateInfo, certificateInfo } from "./certificate-info.ts";
import { parseCertificates } from "./own-certificate.ts";
import { readSource, sourcePath } from "./read-source.ts";

/** Whose certificates are taken. Immutable: others are another object. */
export interface Authorities {
  /** Equal for equal contents. */
  readonly version: string;
  readonly pem: string;
  readonly path: string;
  readonly infos: readonly CertificateInfo[];
}

/** Whether a certificate is one of those that are named by a hash, of it or of its key. */
export type PinTest = (certificate: X509Certificate) => boolean;

/** Whether it is one of them, where any are named. */
export const isPinned = (pins: readonly PinTest[], certificate: X509Certificate): boolean =>
  pins.length === 0 || pins.some((test) => test(certificate));

export type NameTest = (names: readonly AltName[]) => boolean;

/** How a peer's certificate is judged: by its chain, and by its names where any are asked for, of which one is enough. */
export interface Validation {
  readonly authorities: Authorities;
  readonly names: readonly NameTest[];
  readonly pins: readonly PinTest[];
  /** PEM of certificates that were taken back; empty: none were. */
  readonly revoked: string;
  /** The chain need lead to no authority. */
  readonly acceptsUntrusted: boolean;
}

/** What a context asks of a peer beside its secret: both count. */
export type ValidationRules = Omit<Validation, "authorities">;

/** Throws an Error that names the field. Without authorities there would be no check at all, though one was asked for. */
export function compileValidation(config: CertificateValidationContext, path: string): Validation {
  if (config.trustedCa === undefined) throw new Error(`${path}.trusted_ca: required`);
  return { authorities: compileAuthorities(config, `${path}.trusted_ca`), ...compileRules(config, path) };
}

export function compileRules(config: CertificateValidationContext | undefined, path: string): ValidationRules {
  const trust = config?.trustChainVerification ?? TrustChain.VERIFY_TRUST_CHAIN;
  return {
    names: compileNames(config, path),
    pins: [
      ...(config?.verifyCertificateHash ?? []).map(hashTest),
      ...(config?.verifyCertificateSpki ?? []).map(spkiTest),
    ],
    revoked: config?.crl === undefined ? "" : revocationList(readSource(config.crl, `${path}.crl`), `${path}.crl`),
    acceptsUntrusted: trust === TrustChain.ACCEPT_UNTRUSTED,
  };
}

function revocationList(pem: string, path: string): string {
  if (pem.includes("-----BEGIN X509 CRL-----")) return pem;
  throw new Error(`${path}: holds no revocation list in PEM form`);
}

function hashTest(hash: string): PinTest {
  const wanted = hash.replaceAll(":", "").toLowerCase();
  return ({ raw }) => createHash("sha256").update(raw).digest("hex") === wanted;
}

const spkiTest =
  (wanted: string): PinTest =>
  ({ publicKey }) =>
    createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("base64") === wanted;

const compileNames = (config: CertificateValidationContext | undefined, path: string): NameTest[] =>
  (config?.matchTypedSubjectAltNames ?? []).map((matcher, index) => {
    try {
      return nameTest(matcher);
    } catch (cause) {
      throw new Error(`${path}.match_typed_subject_alt_names[${index}].${(cause as Error).message}`);
    }
  });

/** Whether a certificate with these names is wanted; `subjectAltName` is Node's text of them. */
export function namesMatch(tests: readonly NameTest[], subjectAltName: string | undefined): boolean {
  if (tests.length === 0) return true;
  const names = altNames(subjectAltName);
  return tests.some((test) => test(names));
}

/** Clusters share a machine's authorities, which take a while to parse. */
const known = new Map<string, Authorities>();
const maxKnown = 64;

function compileAuthorities({ trustedCa }: CertificateValidationContext, path: string): Authorities {
  const pem = readSource(trustedCa, path);
  const version = createHash("sha256").update(pem).digest("base64");
  const file = sourcePath(trustedCa);
  const key = `${version} ${file}`;
  let authorities = known.get(key);
  if (authorities === undefined) {
    authorities = { version, pem, path: file, infos: parseCertificates(pem, path).map(certificateInfo) };
    if (known.size >= maxKnown) known.clear();
    known.set(key, authorities);
  }
  return authorities;
}

const types: Partial<Record<SanType, string>> = {
  [SanType.DNS]: "DNS",
  [SanType.URI]: "URI",
  [SanType.IP_ADDRESS]: "IP Address",
  [SanType.EMAIL]: "email",
};

function nameTest({ sanType, matcher }: SubjectAltNameMatcher): NameTest {
  const type = types[sanType];
  if (type === undefined) throw new Error(`san_type: ${SanType[sanType]} is not supported`);
  if (matcher === undefined) throw new Error("matcher: required");
  const test =
    sanType === SanType.DNS && matcher.matchPattern.case === "exact"
      ? dnsTest(matcher.matchPattern.value)
      : compileString(matcher);
  return (names) => names.some((name) => name.type === type && test(name.value));
}

/** A certificate for this host, a name or an address. */
export function hostTest(host: string): NameTest {
  const [type, test] =
    isIP(host) === 0 ? (["DNS", dnsTest(host)] as const) : (["IP Address", (name: string) => name === host] as const);
  return (names) => names.some((name) => name.type === type && test(name.value));
}

/** An exact DNS name is met by a wildcard of the certificate's, too, which stands for one whole label: RFC 6125, 6.4.3. */
function dnsTest(wanted: string): (name: string) => boolean {
  const exact = wanted.toLowerCase();
  const dot = exact.indexOf(".");
  const wildcard = dot > 0 ? `*${exact.slice(dot)}` : undefined;
  return (name) => {
    const lower = name.toLowerCase();
    return lower === exact || (wildcard !== undefined && lower === wildcard && lower.indexOf(".", 2) !== -1);
  };
}
