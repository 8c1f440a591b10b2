import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsCertificate } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import { certificateBlocks } from "../../lib/pem.ts";
import { type CertificateInfo, certificateInfo } from "./certificate-info.ts";
import { readSource, sourcePath } from "./read-source.ts";

/** The certificate that this proxy shows, with its key. Immutable: another one is another object. */
export interface OwnCertificate {
  /** Equal for equal contents, and tells nothing of them. */
  readonly version: string;
  /** PEM: the certificate itself first. */
  readonly chain: string;
  readonly key: string;
  readonly path: string;
  /** In the order of the chain. */
  readonly infos: readonly [CertificateInfo, ...CertificateInfo[]];
}

/** Throws an Error that names the field, never what is in it. A certificate that has expired is taken, as in Envoy: its peers judge it. */
export function compileOwnCertificate(config: TlsCertificate, path: string): OwnCertificate {
  const chain = readSource(config.certificateChain, `${path}.certificate_chain`);
  const key = readSource(config.privateKey, `${path}.private_key`);
  const [leaf, ...rest] = parseCertificates(chain, `${path}.certificate_chain`);
  if (!leaf.checkPrivateKey(parseKey(key, `${path}.private_key`))) {
    throw new Error(`${path}.private_key: does not belong to the first certificate of certificate_chain`);
  }
  try {
    createSecureContext({ cert: chain, key });
  } catch (cause) {
    // A key that is too small, for one.
    throw new Error(`${path}.certificate_chain: cannot be used (${(cause as NodeJS.ErrnoException).code})`);
  }
  return {
    version: createHash("sha256").update(chain).update("\0").update(key).digest("base64"),
    chain,
    key,
    path: sourcePath(config.certificateChain),
    infos: [certificateInfo(leaf), ...rest.map(certificateInfo)],
  };
}

/** Every certificate of a PEM text; at least one, or an Error that names the field. */
export function parseCertificates(pem: string, path: string): [X509Certificate, ...X509Certificate[]] {
  const [first, ...rest] = certificateBlocks(pem);
  if (first === undefined) throw new Error(`${path}: holds no certificate in PEM form`);
  const parse = (block: string, index: number) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`${path}: certificate ${index + 1} cannot be read`);
    }
  };
  return [parse(first, 0), ...rest.map((block, index) => parse(block, index + 1))];
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${path}: holds no private key in PEM form`);
  }
}
