import { expect, it } from "vitest";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch } from "../records.ts";
import type { Opened } from "./contract.ts";
import { t0 } from "./rollup-rows.ts";

/** What is kept of collectors and of those who send to them. */
export function collectorContract(opened: () => Opened): void {
  it("knows up to which batch each sender is written, as part of what was written", async () => {
    const { store } = opened();
    expect(await store.senders()).toEqual(new Map());
    await store.write(batch({ senders: new Map([["a", 3]]) }));
    const second = batch({
      senders: new Map([
        ["a", 5],
        ["b", 2 ** 40],
      ]),
    });
    await store.write(second);
    await store.write(second);
    expect(await store.senders()).toEqual(
      new Map([
        ["a", 5],
        ["b", 2 ** 40],
      ]),
    );
    await store.compact({ nowMs: 3_600_000, settledUntilMs: 0, retention: defaultRetention });
    expect((await store.senders()).size).toBe(2);
  });

  it("tells what the collector last said, and remembers the newest record over a restart", async () => {
    const { store, reader } = opened();
    expect(await reader.collectors()).toEqual([]);
    const first = {
      flushedAtMs: t0 * 1000,
      completeUntilMs: t0 * 1000 - 1000,
      settledUntilMs: t0 * 1000 - 9000,
      freshAtMs: t0 * 1000 - 300,
    };
    await store.write(batch({ collector: first }));
    await store.write(batch({ collector: { ...first, flushedAtMs: t0 * 1000 + 1, freshAtMs: null, active: false } }));
    expect(await reader.collectors()).toEqual([
      { id: "collector", ...first, flushedAtMs: t0 * 1000 + 1, active: false },
    ]);
  });

  it("tells of the time between the end of one run of a collector and the next", async () => {
    const { store, reader } = opened();
    const state = { startedAtMs: 1000, flushedAtMs: 9000, completeUntilMs: 8000 };
    await store.write(batch({ collector: state }));
    await store.write(batch({ collector: { ...state, flushedAtMs: 10_000, completeUntilMs: 9000 } }));
    const all = { fromMs: 0, toMs: 1e9 };
    expect(await reader.gaps(all)).toEqual([]);
    const next = { startedAtMs: 12_000, flushedAtMs: 13_000, completeUntilMs: 12_000 };
    await store.write(batch({ collector: { ...next, active: false } }));
    await store.write(batch({ collector: { ...next, startedAtMs: 20_000 } }));
    expect(await reader.gaps(all)).toEqual([
      { fromMs: 9000, toMs: 12_000, collector: "collector", cause: "lost" },
      { fromMs: 13_000, toMs: 20_000, collector: "collector", cause: "stopped" },
    ]);
    expect(await reader.gaps({ fromMs: 12_000, toMs: 13_000 })).toEqual([]);
    const woken = { ...next, startedAtMs: 20_000, flushedAtMs: 60_000, stalledFromMs: 31_000.5 };
    await store.write(batch({ collector: woken }));
    const [gap] = await reader.gaps({ fromMs: 40_000, toMs: 50_000 });
    expect(gap).toMatchObject({ toMs: 60_000, cause: "lost" });
  });
}
