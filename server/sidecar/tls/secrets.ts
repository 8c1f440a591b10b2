import type { SdsSecretConfig } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { OwnCertificate } from "./own-certificate.ts";
import type { Validation } from "./validation.ts";

/** Something that a TLS context refers to and that may be replaced underneath it: what comes later holds for new connections. */
export interface Held<T> {
  /** Of the secret; empty: given with the context itself. */
  readonly name: string;
  /** Undefined: it has not come yet. */
  readonly value: T | undefined;
  /** Whether nothing waits for it any longer: it is there, or `initial_fetch_timeout` is over. */
  readonly settled: boolean;
}

/** Where TLS contexts get what they refer to by name. Both throw an Error naming the field. */
export interface Secrets {
  certificate(config: SdsSecretConfig, path: string): Held<OwnCertificate>;
  validation(config: SdsSecretConfig, path: string): Held<Validation>;
}
