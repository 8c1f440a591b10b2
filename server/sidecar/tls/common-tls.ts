import { constants } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureVersion } from "node:tls";
import {
  type CertificateValidationContext,
  type TlsParameters,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { CommonTlsContext } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { memo } from "../../lib/memo.ts";
import { compileOwnCertificate, type OwnCertificate } from "./own-certificate.ts";
import type { Held, Secrets } from "./secrets.ts";
import { compileNames, compileValidation, type NameTest, type Validation } from "./validation.ts";

/** What a new connection is made with. */
export interface TlsMaterial {
  readonly context: SecureContext;
  readonly certificate: OwnCertificate | undefined;
  /** Undefined: the peer's certificate is not looked at. */
  readonly validation: Validation | undefined;
  /** The peer's certificate must have one of these names; empty: any. */
  readonly names: readonly NameTest[];
}

/** A compiled CommonTlsContext. Immutable, but for the secrets that it refers to. */
export class CommonTls {
  readonly protocols: readonly string[];
  readonly secretNames: readonly string[];
  readonly certificate: Held<OwnCertificate> | undefined;
  readonly validation: Held<Validation> | undefined;
  /** Equal for equal contents of what was given by value or by file. */
  readonly version: string;
  private readonly names: readonly NameTest[];
  private readonly versions: Versions;
  private made: TlsMaterial | undefined = undefined;

  /** Throws an Error naming the field. Unsupported fields were refused before. */
  constructor(config: CommonTlsContext | undefined, path: string, secrets: Secrets) {
    this.protocols = config?.alpnProtocols ?? [];
    this.versions = versionsOf(config?.tlsParams, `${path}.tls_params`);
    this.certificate = certificateOf(config, path, secrets);
    const { validation, names } = validationOf(config, path, secrets);
    this.validation = validation;
    this.names = names;
    this.secretNames = [this.certificate, validation].flatMap((held) => (held?.name ? [held.name] : []));
    this.version = [this.certificate, validation]
      .map((held) => (held?.name === "" ? versionOf(held.value) : ""))
      .join(" ");
  }

  /** Whether connections can be made, or will fail because a secret did not come in time. */
  get settled(): boolean {
    return this.certificate?.settled !== false && this.validation?.settled !== false;
  }

  /** Undefined while a secret is missing. The same object until one is replaced. */
  current(): TlsMaterial | undefined {
    const certificate = this.certificate?.value;
    const validation = this.validation?.value;
    if (this.certificate !== undefined && certificate === undefined) return undefined;
    if (this.validation !== undefined && validation === undefined) return undefined;
    if (this.made?.certificate === certificate && this.made?.validation === validation && this.made) return this.made;
    const names = [...this.names, ...(validation?.names ?? [])];
    this.made = { context: contextFor(certificate, validation, this.versions), certificate, validation, names };
    return this.made;
  }
}

const versionOf = (value: OwnCertificate | Validation | undefined): string =>
  value === undefined ? "" : "authorities" in value ? value.authorities.version : value.version;

const given = <T>(value: T): Held<T> => ({ name: "", value, settled: true });

function certificateOf(
  config: CommonTlsContext | undefined,
  path: string,
  secrets: Secrets,
): Held<OwnCertificate> | undefined {
  const { tlsCertificates = [], tlsCertificateSdsSecretConfigs: named = [] } = config ?? {};
  if (tlsCertificates.length + named.length > 1) {
    const field = named.length > 1 ? "tls_certificate_sds_secret_configs" : "tls_certificates";
    throw new Error(`${path}.${field}: more than one certificate is not supported`);
  }
  const [own] = tlsCertificates;
  if (own !== undefined) return given(compileOwnCertificate(own, `${path}.tls_certificates[0]`));
  const [secret] = named;
  return secret && secrets.certificate(secret, `${path}.tls_certificate_sds_secret_configs[0]`);
}

interface ValidationParts {
  validation: Held<Validation> | undefined;
  /** Beside those of the validation itself. */
  names: readonly NameTest[];
}

function validationOf(config: CommonTlsContext | undefined, path: string, secrets: Secrets): ValidationParts {
  const type = config?.validationContextType;
  switch (type?.case) {
    case undefined:
      return { validation: undefined, names: [] };
    case "validationContext":
      return { validation: given(compileValidation(type.value, `${path}.validation_context`)), names: [] };
    case "validationContextSdsSecretConfig":
      return { validation: secrets.validation(type.value, `${path}.validation_context_sds_secret_config`), names: [] };
    case "combinedValidationContext": {
      const combined = `${path}.combined_validation_context`;
      const { defaultValidationContext: defaults, validationContextSdsSecretConfig: secret } = type.value;
      if (secret === undefined) throw new Error(`${combined}.validation_context_sds_secret_config: required`);
      return {
        validation: secrets.validation(secret, `${combined}.validation_context_sds_secret_config`),
        names: defaultNames(defaults, `${combined}.default_validation_context`),
      };
    }
    default:
      throw new Error(`${path}.${type?.case}: not supported`);
  }
}

/** The secret's authorities take the place of the default's, its names come to the default's, as when protobuf merges messages. */
function defaultNames(defaults: CertificateValidationContext | undefined, path: string): NameTest[] {
  if (defaults?.trustedCa !== undefined) throw new Error(`${path}.trusted_ca: would be replaced by the secret's`);
  return compileNames(defaults, path);
}

interface Versions {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

const protocolVersions: Partial<Record<TlsProtocol, SecureVersion>> = {
  [TlsProtocol.TLSv1_2]: "TLSv1.2",
  [TlsProtocol.TLSv1_3]: "TLSv1.3",
};

/** Envoy's default is from 1.2 on; older ones are refused rather than half supported. */
function versionsOf(params: TlsParameters | undefined, path: string): Versions {
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

/** Shared by all that show the same certificate and trust the same authorities, which take a while to parse; gone with the certificate. */
function contextFor(
  certificate: OwnCertificate | undefined,
  validation: Validation | undefined,
  versions: Versions,
): SecureContext {
  const owner = certificate ?? validation?.authorities ?? nobody;
  const key = `${validation?.authorities.version} ${versions.minVersion} ${versions.maxVersion}`;
  return memo(owner, key, [], () =>
    createSecureContext({
      ...versions,
      ...(validation && { ca: validation.authorities.pem }),
      ...(certificate && { cert: certificate.chain, key: certificate.key }),
      // A session that is resumed would not show its certificate again.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    }),
  );
}

const nobody = {};
