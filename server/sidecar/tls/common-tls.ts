import { constants } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateValidationContext } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { CommonTlsContext } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { memo } from "../../lib/memo.ts";
import { compileOwnCertificate, type OwnCertificate } from "./own-certificate.ts";
import type { Held, Secrets } from "./secrets.ts";
import { compileSettings, type TlsSettings } from "./tls-settings.ts";
import {
  compileRules,
  compileValidation,
  type NameTest,
  type PinTest,
  type Validation,
  type ValidationRules,
} from "./validation.ts";

/** What a new connection is made with. */
export interface TlsMaterial {
  readonly context: SecureContext;
  /** The first of those that may be shown. */
  readonly certificate: OwnCertificate | undefined;
  /** Undefined: the peer's certificate is not looked at. */
  readonly validation: Validation | undefined;
  /** The peer's certificate must have one of these names; empty: any. */
  readonly names: readonly NameTest[];
  /** It must be one of these; empty: any. */
  readonly pins: readonly PinTest[];
  readonly acceptsUntrusted: boolean;
}

/** A compiled CommonTlsContext. Immutable, but for the secrets that it refers to. */
export class CommonTls {
  readonly protocols: readonly string[];
  readonly secretNames: readonly string[];
  /** By what the peer can check one of them is shown. */
  readonly certificates: readonly Held<OwnCertificate>[];
  readonly validation: Held<Validation> | undefined;
  /** Equal for equal contents of what was given by value or by file. */
  readonly version: string;
  private readonly rules: ValidationRules;
  private readonly parameters: TlsSettings;
  private made: { readonly of: readonly unknown[]; readonly material: TlsMaterial } | undefined = undefined;

  /** Throws an Error naming the field. Unsupported fields were refused before. */
  constructor(config: CommonTlsContext | undefined, path: string, secrets: Secrets) {
    this.protocols = config?.alpnProtocols ?? [];
    this.parameters = compileSettings(config?.tlsParams, `${path}.tls_params`);
    this.certificates = certificatesOf(config, path, secrets);
    const { validation, rules } = validationOf(config, path, secrets);
    this.validation = validation;
    this.rules = rules;
    const held = [...this.certificates, ...(validation ? [validation] : [])];
    this.secretNames = held.flatMap(({ name }) => (name ? [name] : []));
    this.version = held.map(({ name, value }) => (name === "" ? versionOf(value) : "")).join(" ");
  }

  /** Whether connections can be made, or will fail because a secret did not come in time. */
  get settled(): boolean {
    return this.certificates.every(({ settled }) => settled) && this.validation?.settled !== false;
  }

  /** Undefined while a secret is missing. The same object until one is replaced. */
  current(): TlsMaterial | undefined {
    const certificates = this.certificates.flatMap(({ value }) => value ?? []);
    const validation = this.validation?.value;
    // Of several certificates one that has come is enough, as in Envoy.
    if (this.certificates.length > 0 && certificates.length === 0) return undefined;
    if (this.validation !== undefined && validation === undefined) return undefined;
    const of = [validation, ...certificates];
    const { made, rules } = this;
    if (made?.of.length === of.length && made.of.every((it, index) => it === of[index])) return made.material;
    const material = {
      context: contextFor(certificates, validation, rules.revoked + (validation?.revoked ?? ""), this.parameters),
      certificate: certificates[0],
      validation,
      names: [...rules.names, ...(validation?.names ?? [])],
      pins: [...rules.pins, ...(validation?.pins ?? [])],
      acceptsUntrusted: rules.acceptsUntrusted || validation?.acceptsUntrusted === true,
    };
    this.made = { of, material };
    return material;
  }
}

const versionOf = (value: OwnCertificate | Validation | undefined): string =>
  value === undefined ? "" : "authorities" in value ? value.authorities.version : value.version;

const given = <T>(value: T): Held<T> => ({ name: "", value, settled: true });

/** OpenSSL keeps one for each kind of key. */
const maxCertificates = 2;

function certificatesOf(config: CommonTlsContext | undefined, path: string, secrets: Secrets): Held<OwnCertificate>[] {
  const { tlsCertificates = [], tlsCertificateSdsSecretConfigs: named = [] } = config ?? {};
  if (tlsCertificates.length + named.length > maxCertificates) {
    const field = named.length > 0 ? "tls_certificate_sds_secret_configs" : "tls_certificates";
    throw new Error(`${path}.${field}: more than ${maxCertificates} certificates are not supported`);
  }
  return [
    ...tlsCertificates.map((own, index) => given(compileOwnCertificate(own, `${path}.tls_certificates[${index}]`))),
    ...named.map((secret, index) =>
      secrets.certificate(secret, `${path}.tls_certificate_sds_secret_configs[${index}]`),
    ),
  ];
}

interface ValidationParts {
  validation: Held<Validation> | undefined;
  /** Beside those of the validation itself. */
  rules: ValidationRules;
}

function validationOf(config: CommonTlsContext | undefined, path: string, secrets: Secrets): ValidationParts {
  const type = config?.validationContextType;
  switch (type?.case) {
    case undefined:
      return { validation: undefined, rules: compileRules(undefined, path) };
    case "validationContext":
      return {
        validation: given(compileValidation(type.value, `${path}.validation_context`)),
        rules: compileRules(undefined, path),
      };
    case "validationContextSdsSecretConfig":
      return {
        validation: secrets.validation(type.value, `${path}.validation_context_sds_secret_config`),
        rules: compileRules(undefined, path),
      };
    case "combinedValidationContext": {
      const combined = `${path}.combined_validation_context`;
      const { defaultValidationContext: defaults, validationContextSdsSecretConfig: secret } = type.value;
      if (secret === undefined) throw new Error(`${combined}.validation_context_sds_secret_config: required`);
      return {
        validation: secrets.validation(secret, `${combined}.validation_context_sds_secret_config`),
        rules: defaultRules(defaults, `${combined}.default_validation_context`),
      };
    }
    default:
      throw new Error(`${path}.${type?.case}: not supported`);
  }
}

/** The secret's authorities take the place of the default's, its names come to the default's, as when protobuf merges messages. */
function defaultRules(defaults: CertificateValidationContext | undefined, path: string): ValidationRules {
  if (defaults?.trustedCa !== undefined) throw new Error(`${path}.trusted_ca: would be replaced by the secret's`);
  return compileRules(defaults, path);
}

/** Shared by all that show the same certificates and trust the same authorities, which take a while to parse; gone with the first of them. */
function contextFor(
  certificates: readonly OwnCertificate[],
  validation: Validation | undefined,
  revoked: string,
  parameters: TlsSettings,
): SecureContext {
  const [owner = validation?.authorities ?? nobody] = certificates;
  const versions = certificates.map(({ version }) => version).join(" ");
  const key = `${versions} ${validation?.authorities.version} ${revoked} ${JSON.stringify(parameters)}`;
  return memo(owner, key, [], () =>
    createSecureContext({
      ...parameters,
      ...(validation && { ca: validation.authorities.pem }),
      ...(validation && revoked !== "" && { crl: revoked }),
      ...(certificates.length > 0 && {
        cert: certificates.map(({ chain }) => chain),
        key: certificates.map((it) => it.key),
      }),
      // A session that is resumed would not show its certificate again.
      secureOptions:
        constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE,
    }),
  );
}

const nobody = {};
