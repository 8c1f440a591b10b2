import type { SdsSecretConfig, Secret } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { durationMs } from "../duration.ts";
import { compileSecret, type SecretKind as Kind } from "../tls/compile-secret.ts";
import { FileSecret, fileAt } from "../tls/file-secret.ts";
import type { OwnCertificate } from "../tls/own-certificate.ts";
import type { Held, Secrets } from "../tls/secrets.ts";
import type { Validation } from "../tls/validation.ts";

/** The secrets of this proxy by name, each as it came last and was good. A name is kept while something refers to it. */
export class SecretSet implements Secrets {
  private readonly byName = new Map<string, HeldSecret>();
  /** By path and kind. They are few, and kept as long as this. */
  private readonly files = new Map<string, FileSecret>();
  private readonly changed: () => void;

  /** @param changed called when a secret has come, or is no longer waited for */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  certificate(config: SdsSecretConfig, path: string): Held<OwnCertificate> {
    return this.held(config, path, "tls_certificate") as Held<OwnCertificate>;
  }

  validation(config: SdsSecretConfig, path: string): Held<Validation> {
    return this.held(config, path, "validation_context") as Held<Validation>;
  }

  /** Throws an Error that names the field, never what is in it; the secret in force before stays so. */
  put(secret: Secret): void {
    const held = this.byName.get(secret.name);
    // Nobody refers to it any longer: its subscription has just ended.
    if (held === undefined) return;
    held.value = compileSecret(secret, held.kind);
    held.settle();
    this.changed();
  }

  /** Lets go of what nothing refers to. */
  retain(names: ReadonlySet<string>): void {
    for (const [name, held] of this.byName) {
      if (names.has(name)) continue;
      held.cancel();
      this.byName.delete(name);
    }
  }

  close(): void {
    this.retain(new Set());
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  private file(path: string, kind: Kind): FileSecret {
    const key = `${kind} ${path}`;
    const known = this.files.get(key);
    if (known !== undefined) return known;
    const file = new FileSecret(path, kind, this.changed);
    this.files.set(key, file);
    return file;
  }

  private held(config: SdsSecretConfig, path: string, kind: Kind): HeldSecret | FileSecret {
    const { name, sdsConfig } = config;
    const specifier = sdsConfig?.configSourceSpecifier;
    if (specifier?.case === "pathConfigSource") {
      return fileAt(path, () => this.file(specifier.value.path, kind));
    }
    if (name === "") throw new Error(`${path}.name: required`);
    const source = sdsConfig?.configSourceSpecifier.case;
    if (source !== "ads")
      throw new Error(`${path}.sds_config: only ads and path_config_source are supported, not ${source ?? "none"}`);
    const known = this.byName.get(name);
    if (known !== undefined && known.kind !== kind) throw new Error(`${path}.name: ${name} is used as a ${known.kind}`);
    if (known !== undefined) return known;
    const held = new HeldSecret(name, kind);
    held.wait(durationMs(sdsConfig?.initialFetchTimeout) ?? defaultFetchMs, this.changed);
    this.byName.set(name, held);
    return held;
  }
}

class HeldSecret implements Held<OwnCertificate | Validation> {
  readonly name: string;
  readonly kind: Kind;
  value: OwnCertificate | Validation | undefined = undefined;
  settled = false;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(name: string, kind: Kind) {
    this.name = name;
    this.kind = kind;
  }

  /** @param ms 0: without end */
  wait(ms: number, over: () => void): void {
    if (ms === 0) return;
    this.timer = setTimeout(() => {
      this.settle();
      over();
    }, ms).unref();
  }

  settle(): void {
    this.settled = true;
    this.cancel();
  }

  cancel(): void {
    clearTimeout(this.timer);
  }
}

/** Envoy's default of initial_fetch_timeout. */
const defaultFetchMs = 15_000;
