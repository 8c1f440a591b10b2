import { createSecureContext, type SecureVersion } from "node:tls";
import {
  type TlsParameters,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";

/** Of `tls_params`, as Node takes it. */
export interface TlsSettings {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  readonly ciphers?: string;
  readonly ecdhCurve?: string;
}

/** Throws an Error naming the field. */
export function compileSettings(params: TlsParameters | undefined, path: string): TlsSettings {
  const ciphers = ciphersOf(params?.cipherSuites ?? [], `${path}.cipher_suites`);
  const ecdhCurve = params?.ecdhCurves.join(":") || undefined;
  if (ecdhCurve !== undefined) tryOut({ ecdhCurve }, `${path}.ecdh_curves`);
  return { ...versionsOf(params, path), ...(ciphers && { ciphers }), ...(ecdhCurve && { ecdhCurve }) };
}

const protocolVersions: Partial<Record<TlsProtocol, SecureVersion>> = {
  [TlsProtocol.TLSv1_2]: "TLSv1.2",
  [TlsProtocol.TLSv1_3]: "TLSv1.3",
};

/** Envoy's default is from 1.2 on; older ones are refused rather than half supported. */
function versionsOf(params: TlsParameters | undefined, path: string): Pick<TlsSettings, "minVersion" | "maxVersion"> {
  const version = (protocol: TlsProtocol, field: string, auto: SecureVersion) => {
    if (protocol === TlsProtocol.TLS_AUTO) return auto;
    const found = protocolVersions[protocol];
    if (found === undefined) throw new Error(`${path}.${field}: ${TlsProtocol[protocol]} is not supported`);
    return found;
  };
  const { tlsMinimumProtocolVersion: min = 0, tlsMaximumProtocolVersion: max = 0 } = params ?? {};
  const minVersion = version(min, "tls_minimum_protocol_version", "TLSv1.2");
  const maxVersion = version(max, "tls_maximum_protocol_version", "TLSv1.3");
  if (minVersion > maxVersion) throw new Error(`${path}.tls_minimum_protocol_version: is above the maximum`);
  return { minVersion, maxVersion };
}

/** Those of TLS 1.3 are not for choosing in Envoy; Node would leave it out without them. */
const always = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

/** Groups of equal preference, `[A|B]`, are in the order that they are written in: OpenSSL has no such groups. */
function ciphersOf(suites: readonly string[], path: string): string | undefined {
  if (suites.length === 0) return undefined;
  const names = suites.flatMap((suite) => suite.replace(/^\[|\]$/g, "").split("|"));
  for (const name of names) tryOut({ ciphers: name }, `${path}: ${JSON.stringify(name)}`);
  return [...always, ...names].join(":");
}

function tryOut(options: Parameters<typeof createSecureContext>[0], path: string): void {
  try {
    createSecureContext(options);
  } catch {
    throw new Error(`${path}: not known to this machine's OpenSSL`);
  }
}
