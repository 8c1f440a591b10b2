import type { FSWatcher } from "node:fs";
import type { SdsSecretConfig } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { compileSecret, type SecretKind } from "./compile-secret.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import { readSecretFile, watchFile } from "./secret-file.ts";
import type { Held, Secrets } from "./secrets.ts";
import type { Validation } from "./validation.ts";

/** Runs it, and says in its error which field named the file. */
export function fileAt<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new Error(`${path}.sds_config.path_config_source: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** One that stands in a file of this machine: it is there at once, and what takes its place is read when it comes. */
export class FileSecret implements Held<OwnCertificate | Validation> {
  /** Nobody subscribes to it. */
  readonly name = "";
  readonly settled = true;
  value: OwnCertificate | Validation;
  private readonly watcher: FSWatcher;

  /** Throws an Error naming the file. */
  constructor(path: string, kind: SecretKind, changed: () => void) {
    const read = () => compileSecret(readSecretFile(path), kind);
    this.value = read();
    this.watcher = watchFile(path, () => {
      try {
        this.value = read();
        changed();
      } catch {
        // Half of it, or nothing good: the one before stays in force, as in Envoy.
      }
    });
  }

  close(): void {
    this.watcher.close();
  }
}

/** The same for who looks only once, such as a connection to the control plane. */
export const fileSecrets: Secrets = {
  certificate: (config, path) => once(config, path, "tls_certificate") as Held<OwnCertificate>,
  validation: (config, path) => once(config, path, "validation_context") as Held<Validation>,
};

function once({ sdsConfig }: SdsSecretConfig, path: string, kind: SecretKind): Held<OwnCertificate | Validation> {
  const specifier = sdsConfig?.configSourceSpecifier;
  if (specifier?.case !== "pathConfigSource") {
    throw new Error(`${path}.sds_config: only path_config_source is supported here`);
  }
  const value = fileAt(path, () => compileSecret(readSecretFile(specifier.value.path), kind));
  return { name: "", value, settled: true };
}
