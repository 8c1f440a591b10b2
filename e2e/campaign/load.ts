import { Agent, request } from "node:http";

/** Requests through the gateway and writes to the config API, both without pause and both counted. */
export interface Load {
  /** What came since the last reset. */
  counts(): Readonly<Counts>;
  reset(): void;
  /** All requests since it was started, whatever was reset. */
  total(): number;
  /** Sends nothing more; resolves when the last answers are there. */
  stop(): Promise<void>;
}

export interface Counts {
  sent: number;
  failed: number;
  /** Failures by status or error code. */
  reasons: Record<string, number>;
  /** The writes that were acknowledged, in order. */
  acknowledged: number[];
  refusedWrites: number;
  /** `performance.now()` of the last failed request; 0: none. */
  lastFailedMs: number;
  /** Of the last acknowledged write. */
  lastWriteMs: number;
  /** Of the last refused one. */
  lastRefusedMs: number;
}

const clients = 6;
const pauseMs = 25;
const writeEveryMs = 300;
const object = "/apis/networking.istio.io/v1/namespaces/default/virtualservices";
const kept = new Agent({ keepAlive: true });

const nothing = (): Counts => ({
  sent: 0,
  failed: 0,
  reasons: {},
  acknowledged: [],
  refusedWrites: 0,
  lastFailedMs: 0,
  lastWriteMs: 0,
  lastRefusedMs: 0,
});

/** Half of the clients open a connection for each request. A write sets a number that only grows, so that a lost one is seen. */
export async function startLoad(gatewayPort: number, configPort: number): Promise<Load> {
  let counts = nothing();
  let running = true;
  let number = 0;
  let total = 0;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const client = async (agent: Agent | false): Promise<void> => {
    while (running) {
      const problem = await callOnce("GET", gatewayPort, "/productpage", agent, undefined);
      counts.sent++;
      total++;
      if (problem !== undefined) {
        counts.failed++;
        counts.reasons[problem] = (counts.reasons[problem] ?? 0) + 1;
        counts.lastFailedMs = performance.now();
      }
      await pause(pauseMs);
    }
  };
  const writer = async (): Promise<void> => {
    while (running) {
      const value = ++number;
      const problem = await writeNumber(configPort, value);
      if (problem === undefined) {
        counts.acknowledged.push(value);
        counts.lastWriteMs = performance.now();
      } else {
        counts.refusedWrites++;
        counts.lastRefusedMs = performance.now();
      }
      await pause(writeEveryMs);
    }
  };
  await createObject(configPort);
  const all = [...Array.from({ length: clients }, (_, i) => client(i % 2 === 0 && kept)), writer()];
  return {
    counts: () => counts,
    total: () => total,
    reset() {
      counts = nothing();
    },
    async stop() {
      running = false;
      await Promise.all(all);
    },
  };
}

const writeNumber = (port: number, value: number): Promise<string | undefined> => {
  const body = JSON.stringify({ metadata: { annotations: { "campaign/n": String(value) } } });
  return callOnce("PATCH", port, `${object}/campaign`, false, { type: "application/merge-patch+json", body });
};

async function createObject(port: number): Promise<void> {
  const body = JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "campaign", namespace: "default" },
    spec: { hosts: ["campaign.test"], http: [{ directResponse: { status: 204 } }] },
  });
  await callOnce("POST", port, object, false, { type: "application/json", body }); // 409: it is there from the run before
}

/** The number that is stored; undefined when the config API does not say. */
export async function storedNumber(port: number): Promise<number | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}${object}/campaign`, { signal: AbortSignal.timeout(5_000) });
    if (answer.status === 404) return 0;
    if (!answer.ok) return undefined;
    const { metadata } = (await answer.json()) as { metadata: { annotations?: Record<string, string> } };
    return Number(metadata.annotations?.["campaign/n"] ?? 0);
  } catch {
    return undefined;
  }
}

/** Undefined: an answer of 2xx. Otherwise what came instead. */
function callOnce(
  method: string,
  port: number,
  path: string,
  agent: Agent | false,
  content: { type: string; body: string } | undefined,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers = content
      ? { "content-type": content.type, "content-length": Buffer.byteLength(content.body) }
      : undefined;
    const call = request({ host: "127.0.0.1", port, method, path, agent, headers, timeout: 10_000 }, (response) => {
      response.resume();
      response.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      response.once("end", () => {
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 300 ? undefined : String(status));
      });
    });
    call.once("timeout", () => call.destroy(Object.assign(new Error("no answer"), { code: "no answer in 10 s" })));
    call.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    call.end(content?.body);
  });
}
