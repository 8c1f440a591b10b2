import type { CertificateAuthority } from "../../../server/ca/certificate-authority.ts";
import { parseDocuments } from "../../../server/config/kinds/index.ts";
import { MemoryConfigStore } from "../../../server/config/memory-store.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../server/config/object.ts";
import type { Write } from "../../../server/config/store.ts";
import type { PushStatus } from "../../../server/contract/index.ts";
import { type ControlPlane, createControlPlane } from "../../../server/control-plane/control-plane.ts";
import { systemClock } from "../../../server/lib/clock.ts";
import { silentLogger } from "../../../server/lib/logger.ts";

export interface TestControlPlaneOptions {
  /** 0 takes a free one. */
  port?: number;
  /** To serve xDS over TLS, too. */
  authority?: CertificateAuthority;
}

/** The real control plane over a store in memory. */
export class TestControlPlane {
  readonly #store = new MemoryConfigStore();
  #plane: ControlPlane;
  readonly #options: TestControlPlaneOptions;
  #ports: { xds: number; xdsTls: number };

  constructor(options: TestControlPlaneOptions = {}) {
    this.#options = options;
    this.#ports = { xds: options.port ?? 0, xdsTls: 0 };
    this.#plane = this.#create();
  }

  get port(): number {
    return this.#ports.xds;
  }

  get tlsPort(): number {
    return this.#ports.xdsTls;
  }

  async start(): Promise<void> {
    await this.#plane.start();
    this.#ports = { xdsTls: 0, ...this.#plane.addresses() };
  }

  async stop(): Promise<void> {
    await this.#plane.stop();
  }

  /** A new process in all but name: the same config and port, nothing remembered. */
  async restart(): Promise<void> {
    await this.stop();
    this.#plane = this.#create();
    await this.start();
  }

  /**
   * Makes the config be exactly these YAML documents, in one commit, and waits until every proxy that it concerns has it in force.
   * Throws when one refuses it.
   */
  async apply(...documents: string[]): Promise<PushStatus | undefined> {
    const wanted = new Map(documents.flatMap(objectsOf).map((object) => [formatKey(keyOf(object)), object]));
    const { items } = await this.#store.list();
    const writes: Write[] = [...wanted.values()].map((object) => ({ op: "put", object }));
    for (const item of items) {
      if (!wanted.has(formatKey(keyOf(item)))) writes.push({ op: "delete", key: keyOf(item) });
    }
    const { revision, changes } = await this.#store.commit(writes, "scenario");
    if (changes.length === 0 || !this.#plane.ready()) return undefined;
    const status = await this.#plane.pushes.wait(revision, 20_000);
    if (!status?.complete) throw new Error(`revision ${revision} is not in force: ${JSON.stringify(status)}`);
    const refused = status.proxies.filter(({ state }) => state === "nacked");
    if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
    return status;
  }

  #create(): ControlPlane {
    const { authority } = this.#options;
    return createControlPlane({
      store: this.#store,
      xdsPort: this.#ports.xds,
      ...(authority && { authority, xdsTls: { port: this.#ports.xdsTls } }),
      logger: silentLogger,
      clock: systemClock,
      translateOptions: { tracingSamplingPercent: 100 },
    });
  }
}

function objectsOf(yaml: string): ConfigObject[] {
  const parsed = parseDocuments(yaml);
  if (parsed.ok) return parsed.value;
  throw new Error(parsed.errors.map(({ path, message }) => `${path} ${message}`).join("\n"));
}
