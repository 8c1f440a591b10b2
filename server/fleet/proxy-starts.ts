import { type ProxyStart, ProxyStarts } from "../contract/index.ts";
import { createHttpClient } from "../lib/http-client.ts";
import type { ProxyIdentity } from "./bootstrap.ts";

const timeoutMs = 5_000;
const everyMs = 10_000;
const nothing: ProxyStart = { environmentVariables: {} };

/**
 * What ProxyConfigs say of the proxies that are run here, as the control plane told last: it is asked before proxies are started, and now and then for
 * those that end by themselves and are started again.
 */
export class ProxyStartSettings {
  readonly #client: ReturnType<typeof createHttpClient>;
  readonly #identities: readonly ProxyIdentity[];
  readonly #known = new Map<string, ProxyStart>();
  #timer: NodeJS.Timeout | undefined;

  constructor(configApi: string, identities: readonly ProxyIdentity[]) {
    this.#client = createHttpClient(configApi, timeoutMs);
    this.#identities = identities;
  }

  of({ workload }: ProxyIdentity): ProxyStart {
    return this.#known.get(workload) ?? nothing;
  }

  /** While the control plane is away, what it said before is in force. */
  async refresh(): Promise<void> {
    try {
      const workloads = this.#identities.map(({ namespace, labels }) => ({ namespace, labels }));
      const answer = await this.#client.call("POST", "/limpid/v1/proxy-starts", {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ workloads }),
      });
      if (answer.status !== 200) return;
      const { starts } = ProxyStarts.parse(JSON.parse(answer.text));
      this.#identities.forEach(({ workload }, index) => {
        const start = starts[index];
        if (start) this.#known.set(workload, start);
      });
    } catch {
      // It is asked again.
    }
  }

  follow(): void {
    this.#timer = setInterval(() => void this.refresh(), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
