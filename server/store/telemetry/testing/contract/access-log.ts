import { expect, it } from "vitest";
import { flagBitsOf } from "../../../../wire/response-flags.ts";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, host, sample } from "../records.ts";
import type { Opened } from "./contract.ts";
import { ratings, reviews, t0 } from "./rollup-rows.ts";

/** Lines of access logs. */
export function accessLogContract(opened: () => Opened): void {
  it("finds samples by time, service, peers and error, newest first", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    await store.write(
      batch({
        samples: [
          sample(reviews, at, { requestId: "a", flags: flagBitsOf(["DI"]) }),
          sample(reviews, at + 5, { requestId: "b", code: 503 }),
          sample(ratings, at + 9, { requestId: "c", code: 0 }),
        ],
      }),
    );
    const ids = async (query: object) =>
      (await reader.logs({ fromMs: at, toMs: at + 10, limit: 10, ...query })).map((log) => log.requestId);
    expect(await ids({})).toEqual(["c", "b", "a"]);
    expect(await ids({ limit: 1 })).toEqual(["c"]);
    expect(await ids({ toMs: at + 9 })).toEqual(["b", "a"]);
    expect(await ids({ errorsOnly: true })).toEqual(["c", "b"]);
    expect(await ids({ service: host("reviews") })).toEqual(["b", "a"]);
    expect(await ids({ service: host("nobody") })).toEqual([]);
    expect(await ids({ source: { namespace: "default", app: "reviews", version: "v2" } })).toEqual(["c"]);
    expect(await ids({ destination: { namespace: "default", app: "ratings" } })).toEqual(["c"]);
    expect(await ids({ destination: { namespace: "default", app: "ratings", version: "v9" } })).toEqual([]);
    const [log] = await reader.logs({ fromMs: at, toMs: at + 1, limit: 1 });
    // Messages are counted by call, and told of no single line.
    const { timeMs, count, detailed, requestMessages, responseMessages, ...told } = sample(reviews, at, {
      requestId: "a",
    });
    expect(log).toMatchObject({ ...told, atMs: at, flags: ["DI"], edge: reviews });
  });

  it("finds by what a request was, told and took", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const inbound = { ...reviews, reporter: "destination" as const };
    const gateway = { ...reviews, gateway: true };
    const traceId = "ab".repeat(16);
    await store.write(
      batch({
        samples: [
          sample(reviews, at, { requestId: "a", path: "/api/100%/x", method: "POST", proxy: "p1" }),
          sample(inbound, at + 1, {
            requestId: "b",
            code: 404,
            durationMs: 900,
            traceId,
            details: "rbac_denied[50%_x]",
          }),
          sample(gateway, at + 2, { requestId: "c", code: 503, flags: flagBitsOf(["UF", "URX"]) }),
          sample({ ...reviews, protocol: "grpc" }, at + 3, { requestId: "d", grpcStatus: 14 }),
          sample({ ...reviews, protocol: "tcp" }, at + 4, { requestId: "e", code: 0 }),
        ],
      }),
    );
    const ids = async (query: object) =>
      (await reader.logs({ fromMs: at, toMs: at + 10, limit: 10, ...query })).map((log) => log.requestId).join("");
    expect(await ids({ proxy: "p1" })).toBe("a");
    expect(await ids({ direction: "inbound" })).toBe("b");
    expect(await ids({ direction: "gateway" })).toBe("c");
    expect(await ids({ direction: "outbound" })).toBe("eda");
    expect(await ids({ codeFrom: 400, codeTo: 499 })).toBe("b");
    expect(await ids({ codeFrom: 0, codeTo: 0 })).toBe("e");
    expect(await ids({ grpcStatus: 14 })).toBe("d");
    expect(await ids({ flag: "URX" })).toBe("c");
    expect(await ids({ flag: "NOPE" })).toBe("");
    expect(await ids({ path: "100%" })).toBe("a");
    expect(await ids({ path: "_" })).toBe("");
    expect(await ids({ details: "denied[50%_" })).toBe("b");
    expect(await ids({ details: "_denied%" })).toBe("");
    expect(await ids({ method: "POST" })).toBe("a");
    expect(await ids({ minDurationMs: 500 })).toBe("b");
    expect(await ids({ maxDurationMs: 500 })).toBe("edca");
    expect(await ids({ traceId })).toBe("b");
    expect(await ids({ requestId: "c" })).toBe("c");
    // gRPC answers its failures with 200; a TCP connection without a flag is none.
    expect(await ids({ errorsOnly: true })).toBe("dcb");
  });

  it("writes what no column can hold as the nearest that it can, so that nothing else waits for it", async () => {
    const { store, reader } = opened();
    const absurd = {
      code: 2 ** 40,
      grpcStatus: -(2 ** 40),
      requestBytes: 1e300,
      responseBytes: Number.NaN,
      flags: 1e300,
    };
    await store.write(batch({ samples: [sample(reviews, t0 * 1000, absurd), sample(reviews, t0 * 1000 + 1)] }));
    expect(await reader.logs({ fromMs: t0 * 1000, toMs: t0 * 1000 + 2, limit: 9 })).toHaveLength(2);
  });

  it("goes on in a list of samples where it was left", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const times = [1, 1, 2, 2, 2, 3];
    await store.write(batch({ samples: times.map((ms, i) => sample(reviews, at + ms, { requestId: `${i}` })) }));
    const read: string[] = [];
    for (let before: { atMs: number; id: number } | undefined; ; ) {
      const page = await reader.logs({ fromMs: at, toMs: at + 9, limit: 2, ...(before && { before }) });
      read.push(...page.map((log) => log.requestId));
      before = page.at(-1);
      if (page.length < 2) break;
    }
    expect(read).toHaveLength(6);
    expect(new Set(read).size).toBe(6);
  });

  it("shows those who look on what is new, once", async () => {
    const { store, reader } = opened();
    const write = (id: string, of = reviews) =>
      store.write(batch({ samples: [sample(of, t0 * 1000, { requestId: id })] }));
    await write("before");
    const { rows, lastId } = await reader.newLogs({ afterId: 0, limit: 10 });
    expect(rows).toEqual([]);
    await write("a");
    await write("b", ratings);
    await write("c");
    const first = await reader.newLogs({ afterId: lastId, limit: 2 });
    expect(first.rows.map((log) => log.requestId)).toEqual(["a", "b"]);
    const second = await reader.newLogs({ afterId: first.lastId, limit: 2 });
    expect(second.rows.map((log) => log.requestId)).toEqual(["c"]);
    expect((await reader.newLogs({ afterId: second.lastId, limit: 2 })).rows).toEqual([]);
    const ofRatings = await reader.newLogs({ afterId: lastId, limit: 9, service: host("ratings") });
    expect(ofRatings.rows.map((log) => log.requestId)).toEqual(["b"]);
  });

  it("keeps successes and errors within a cap each, and none past the retention", async () => {
    const { store, reader } = opened();
    const at = t0 * 1000;
    const samples = Array.from({ length: 60 }, (_, i) =>
      sample(reviews, at + i * 1000, { requestId: `${i}`, code: i % 2 ? 200 : 503 }),
    );
    await store.write(batch({ samples }));
    const retention = { ...defaultRetention, maxSamples: 10, maxErrorSamples: 20, samplesSec: 120 };
    const compact = async (nowMs: number) => {
      while ((await store.compact({ nowMs, settledUntilMs: at, retention })).more);
      return reader.logs({ fromMs: 0, toMs: at + 99_000, limit: 99 });
    };
    const kept = await compact(at + 60_000);
    expect(kept.filter((log) => log.code === 200)).toHaveLength(10);
    expect(kept.filter((log) => log.code === 503)).toHaveLength(20);
    for (const log of await compact(at + 160_000)) expect(log.atMs).toBeGreaterThanOrEqual(at + 40_000);
  });
}
