import { createPrivateKey, X509Certificate } from "node:crypto";
import type {
  CertificateValidationContext,
  TlsCertificate,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { readData } from "./data-source.ts";
import { compileSans, type SanMatcher } from "./san-matcher.ts";

/** What one side shows of itself, with the key that proves it. */
export interface Certificate {
  /** PEM, the own certificate first. */
  readonly chain: string;
  /** PEM. Never logged or shown. */
  readonly key: string;
  readonly leaf: X509Certificate;
  /** Of the file it came from; empty for what was inline. */
  readonly version: string;
}

/** What the other side's certificate must be. */
export interface Validation {
  /** PEM; undefined: not checked. */
  readonly authorities: string | undefined;
  readonly names: readonly SanMatcher[];
  readonly version: string;
}

/** Throws an Error that names the field, and never what it holds. */
export function compileCertificate(config: TlsCertificate, path: string): Certificate {
  const { certificateChain, privateKey } = config;
  if (certificateChain === undefined) throw new Error(`${path}.certificate_chain: required`);
  if (privateKey === undefined) throw new Error(`${path}.private_key: required`);
  const chain = readData(certificateChain, `${path}.certificate_chain`);
  const key = readData(privateKey, `${path}.private_key`);
  const leaf = parseCertificate(chain.text, `${path}.certificate_chain`);
  if (!belongs(leaf, key.text, `${path}.private_key`)) {
    throw new Error(`${path}.private_key: is not the key of certificate_chain's first certificate`);
  }
  return { chain: chain.text, key: key.text, leaf, version: `${chain.version} ${key.version}` };
}

/** Throws an Error naming the field. */
export function compileValidation(config: CertificateValidationContext, path: string): Validation {
  const names = compileSans(config.matchTypedSubjectAltNames, path);
  const authorities = config.trustedCa && readData(config.trustedCa, `${path}.trusted_ca`);
  // Node takes what is no PEM for no authority, and nothing at all for its own built-in ones.
  if (authorities) parseCertificate(authorities.text, `${path}.trusted_ca`);
  return {
    authorities: authorities?.text,
    names,
    version: authorities?.version ?? "",
  };
}

function parseCertificate(pem: string, path: string): X509Certificate {
  if (!pem.includes("-----BEGIN ")) throw new Error(`${path}: holds no certificate in PEM form`);
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`${path}: holds a certificate that cannot be read`);
  }
}

function belongs(leaf: X509Certificate, key: string, path: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new Error(`${path}: holds no private key in PEM form`);
  }
}
