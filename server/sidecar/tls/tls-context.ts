import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from "node:tls";
import {
  type TlsParameters,
  TlsParameters_TlsProtocol as TlsProtocol,
} from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfig } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { CommonTlsContext } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { type Certificate, compileCertificate, compileValidation, type Validation } from "./certificate.ts";
import type { SanMatcher } from "./san-matcher.ts";
import type { Secrets } from "./secret-set.ts";

/** What a connection begins with; later secrets are for later connections. */
export interface TlsSettings {
  readonly options: SecureContextOptions;
  /** Equal for equal options. */
  readonly key: string;
  readonly certificate: Certificate | undefined;
  /** Undefined: any certificate is taken, as Envoy does without a validation context. */
  readonly verify: { readonly names: readonly SanMatcher[] } | undefined;
}

/** A `common_tls_context`, with what it says itself and what it leaves to SDS. */
export class TlsContext {
  /** SDS names that it needs. */
  readonly secretNames: readonly string[];
  private readonly parts: Parts;
  private readonly secrets: Secrets;
  private settings: TlsSettings | undefined = undefined;
  private settingsOf = "";

  /** Throws an Error naming the field. */
  constructor(config: CommonTlsContext | undefined, secrets: Secrets, path: string) {
    this.parts = partsOf(config, path);
    this.secrets = secrets;
    const { certificateName, validationName } = this.parts;
    this.secretNames = [certificateName, validationName].filter((name) => name !== undefined);
  }

  get ready(): boolean {
    return this.secretNames.every((name) => this.secrets.version(name) !== undefined);
  }

  /** Undefined while a secret is missing, or is of another kind. */
  current(): TlsSettings | undefined {
    const versions = this.secretNames.map((name) => this.secrets.version(name)).join();
    if (this.settings === undefined || this.settingsOf !== versions) {
      this.settings = this.resolve();
      this.settingsOf = versions;
    }
    return this.settings;
  }

  private resolve(): TlsSettings | undefined {
    const { certificateName, validationName, fixedCertificate, fixedValidation, range } = this.parts;
    const certificate = certificateName === undefined ? fixedCertificate : this.secrets.certificate(certificateName);
    const given = validationName === undefined ? undefined : this.secrets.validation(validationName);
    if (certificateName !== undefined && certificate === undefined) return undefined;
    if (validationName !== undefined && given === undefined) return undefined;
    const validation = given?.authorities === undefined ? fixedValidation : given;
    const authorities = validation?.authorities;
    return {
      options: {
        ...range,
        ...(authorities !== undefined && { ca: authorities }),
        ...(certificate && { cert: certificate.chain, key: certificate.key }),
      },
      // Of a certificate its fingerprint says all: another key has another certificate.
      key: [certificate?.leaf.fingerprint256, validation?.version || authorities, JSON.stringify(range)].join("|"),
      certificate,
      verify:
        authorities === undefined ? undefined : { names: [...(fixedValidation?.names ?? []), ...(given?.names ?? [])] },
    };
  }
}

interface Parts {
  certificateName: string | undefined;
  validationName: string | undefined;
  fixedCertificate: Certificate | undefined;
  fixedValidation: Validation | undefined;
  range: VersionRange;
}

function partsOf(config: CommonTlsContext | undefined, path: string): Parts {
  const [certificate, second] = config?.tlsCertificates ?? [];
  if (second) throw new Error(`${path}.tls_certificates[1]: more than one certificate is not supported`);
  const [sds, secondSds] = config?.tlsCertificateSdsSecretConfigs ?? [];
  if (secondSds) throw new Error(`${path}.tls_certificate_sds_secret_configs[1]: more than one is not supported`);
  const parts: Parts = {
    certificateName: sds && secretName(sds, `${path}.tls_certificate_sds_secret_configs[0]`),
    validationName: undefined,
    fixedCertificate: certificate && compileCertificate(certificate, `${path}.tls_certificates[0]`),
    fixedValidation: undefined,
    range: versionRange(config?.tlsParams),
  };
  const validation = config?.validationContextType;
  if (validation?.case === "validationContext") {
    const field = `${path}.validation_context`;
    if (validation.value.trustedCa === undefined) throw new Error(`${field}.trusted_ca: required`);
    parts.fixedValidation = compileValidation(validation.value, field);
  } else if (validation?.case === "validationContextSdsSecretConfig") {
    parts.validationName = secretName(validation.value, `${path}.validation_context_sds_secret_config`);
  } else if (validation?.case === "combinedValidationContext") {
    const { defaultValidationContext: fixed, validationContextSdsSecretConfig: given } = validation.value;
    const field = `${path}.combined_validation_context`;
    if (given === undefined) throw new Error(`${field}.validation_context_sds_secret_config: required`);
    parts.fixedValidation = fixed && compileValidation(fixed, `${field}.default_validation_context`);
    parts.validationName = secretName(given, `${field}.validation_context_sds_secret_config`);
  }
  return parts;
}

function secretName({ name, sdsConfig }: SdsSecretConfig, path: string): string {
  if (name === "") throw new Error(`${path}.name: required`);
  if (sdsConfig?.configSourceSpecifier.case !== "ads") throw new Error(`${path}.sds_config: only ads: {} is supported`);
  return name;
}

type VersionRange = Pick<SecureContextOptions, "minVersion" | "maxVersion">;

const versions: Partial<Record<TlsProtocol, SecureVersion>> = {
  [TlsProtocol.TLSv1_0]: "TLSv1",
  [TlsProtocol.TLSv1_1]: "TLSv1.1",
  [TlsProtocol.TLSv1_2]: "TLSv1.2",
  [TlsProtocol.TLSv1_3]: "TLSv1.3",
};

/** Below 1.2 only when told so, as in Envoy. */
function versionRange(params: TlsParameters | undefined): VersionRange {
  const maxVersion = versions[params?.tlsMaximumProtocolVersion ?? TlsProtocol.TLS_AUTO];
  return {
    minVersion: versions[params?.tlsMinimumProtocolVersion ?? TlsProtocol.TLS_AUTO] ?? "TLSv1.2",
    ...(maxVersion && { maxVersion }),
  };
}

/** Clusters share a machine's authorities, which take a while to parse. */
const contexts = new Map<string, SecureContext>();
const maxContexts = 64;

/** Throws an Error when OpenSSL does not take the settings. */
export function sharedContext({ key, options }: TlsSettings): SecureContext {
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext(options);
    if (contexts.size >= maxContexts) contexts.clear();
    contexts.set(key, context);
  }
  return context;
}
