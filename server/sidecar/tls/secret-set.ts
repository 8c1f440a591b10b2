import type { Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { Stats } from "../stats.ts";
import { type Certificate, compileCertificate, compileValidation, type Validation } from "./certificate.ts";

/** Where TLS contexts look up what SDS gives. */
export interface Secrets {
  certificate(name: string): Certificate | undefined;
  validation(name: string): Validation | undefined;
  /** Another number for every other content; undefined: not there. */
  version(name: string): number | undefined;
}

/** Where nobody gives any. */
export const noSecrets: Secrets = {
  certificate: () => undefined,
  validation: () => undefined,
  version: () => undefined,
};

type Held = { version: number } & (
  | { kind: "certificate"; value: Certificate }
  | { kind: "validation"; value: Validation }
);

/** The secrets that SDS gave. One that is replaced counts for connections to come; those that are open go on. */
export class SecretSet implements Secrets {
  private readonly held = new Map<string, Held>();
  private readonly stats: Stats;
  private readonly changed: () => void;
  private count = 0;

  constructor(stats: Stats, changed: () => void) {
    this.stats = stats;
    this.changed = changed;
  }

  /** Throws an Error that names the field, and never what it holds; the one in force stays. */
  put(secret: Secret): void {
    const prefix = `sds.${secret.name}.`;
    try {
      this.held.set(secret.name, { version: ++this.count, ...compile(secret) });
    } catch (error) {
      this.stats.counter(`${prefix}update_rejected`).inc();
      throw error;
    }
    this.stats.counter(`${prefix}update_success`).inc();
    this.changed();
  }

  certificate(name: string): Certificate | undefined {
    const held = this.held.get(name);
    return held?.kind === "certificate" ? held.value : undefined;
  }

  validation(name: string): Validation | undefined {
    const held = this.held.get(name);
    return held?.kind === "validation" ? held.value : undefined;
  }

  version(name: string): number | undefined {
    return this.held.get(name)?.version;
  }
}

function compile({
  type,
}: Secret): { kind: "certificate"; value: Certificate } | { kind: "validation"; value: Validation } {
  switch (type.case) {
    case "tlsCertificate":
      return { kind: "certificate", value: compileCertificate(type.value, "tls_certificate") };
    case "validationContext":
      // Names alone would be checked against a certificate that anybody may have made.
      if (type.value.trustedCa === undefined) throw new Error("validation_context.trusted_ca: required");
      return { kind: "validation", value: compileValidation(type.value, "validation_context") };
    default:
      throw new Error(`${type.case ?? "type"}: only tls_certificate and validation_context are supported`);
  }
}
