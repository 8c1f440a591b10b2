import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { silentLogger } from "../../../lib/logger.ts";
import { type Collector, createCollector } from "../../../telemetry/collector.ts";
import { defaultSampling } from "../../../telemetry/sampling-settings.ts";
import { findPostgres, type PostgresServer, startPostgres } from "../../postgres/testing/postgres-server.ts";
import { span } from "../testing/records.ts";
import { openPostgresTelemetryReader } from "./reader.ts";
import { openPostgresTelemetryStore } from "./store.ts";

const binaries = findPostgres();
const idOf = (n: number) => n.toString(16).padStart(32, "0");
let spans = 0;
const spanOf = (traceId: string, changes: object = {}) =>
  span(traceId, (++spans).toString(16).padStart(16, "0"), Date.now() * 1000, changes);

describe.skipIf(binaries === undefined)("collectors that sample, of one database", () => {
  let server: PostgresServer;
  const cleanUps: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
  });
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });
  afterAll(() => server.stop());

  async function collectorOf(url: string, id: string): Promise<Collector> {
    const store = await openPostgresTelemetryStore({ url });
    cleanUps.push(() => store.close());
    const sampling = { ...defaultSampling, share: 0, slowest: 0, waitMs: 500 };
    const collector = createCollector({ id, store, grpcPort: 0, httpPort: 0, logger: silentLogger, sampling });
    await collector.start();
    cleanUps.push(() => collector.stop());
    return collector;
  }

  it("keep each their spans of a trace that has an error at one of them, also after the server was away", async () => {
    const url = await server.database("sampling");
    const [callers, callees] = [await collectorOf(url, "a"), await collectorOf(url, "b")];
    const reader = await openPostgresTelemetryReader({ url });
    cleanUps.push(() => reader.close());
    let failed = 0;
    /** Of ten traces one fails; each collector has a span of every one. */
    const send = () => {
      const from = failed + 1;
      failed = from + 9;
      for (let n = from; n <= failed; n++) {
        callers.sink.spans([spanOf(idOf(n))]);
        callees.sink.spans([spanOf(idOf(n), { error: n === failed })]);
      }
    };
    const isWhole = async () => (await reader.trace(idOf(failed))).length === 2;
    send();
    await expect.poll(isWhole, { timeout: 30_000 }).toBe(true);
    expect((await reader.trace(idOf(failed - 1))).length).toBe(0);

    await server.restart();
    // A notice that was given before they listened again is not heard, and its trace is half.
    await expect
      .poll(
        async () => {
          send();
          return expect
            .poll(isWhole, { timeout: 5000 })
            .toBe(true)
            .then(
              () => true,
              () => false,
            );
        },
        { timeout: 60_000 },
      )
      .toBe(true);
    expect((await callers.health()).sampling?.keptElsewhere).toBeGreaterThanOrEqual(2);
  });
});
