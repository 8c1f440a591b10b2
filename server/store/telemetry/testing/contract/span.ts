import { expect, it } from "vitest";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, span } from "../records.ts";
import type { Opened } from "./contract.ts";
import { t0 } from "./rollup-rows.ts";

/** Spans, and the traces they make up. */
export function spanContract(opened: () => Opened): void {
  const [a, b] = ["a".repeat(32), "b".repeat(32)] as const;

  it("puts spans together to traces, newest first", async () => {
    const { store, reader } = opened();
    const root = span(a, "1".repeat(16), t0 * 1e6, { service: "productpage.default", name: "root", durationUs: 9000 });
    const child = span(a, "2".repeat(16), t0 * 1e6 + 1000, { parentSpanId: root.spanId, error: true });
    const other = span(b, "3".repeat(16), (t0 + 1) * 1e6);
    await store.write(batch({ spans: [child, other] }));
    await store.write(batch({ spans: [root, child] }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 2) * 1000, limit: 10 };
    const traces = await reader.traces(range);
    expect(traces.map((trace) => trace.traceId)).toEqual([b, a]);
    expect(traces[1]).toEqual({
      traceId: a,
      startMs: t0 * 1000,
      durationMs: 9,
      spans: 2,
      errors: 1,
      services: ["productpage.default", "reviews.default"],
      root: { name: "root", service: "productpage.default" },
    });
    expect((await reader.traces({ ...range, errorsOnly: true })).map((trace) => trace.traceId)).toEqual([a]);
    const ofPage = await reader.traces({ ...range, service: "productpage.default" });
    expect(ofPage.map((trace) => trace.traceId)).toEqual([a]);
    expect(await reader.trace(a)).toEqual([root, child]);
    expect(await reader.trace("c".repeat(32))).toEqual([]);
  });

  it("calls a trace by the span that nobody called, also when a child came first or runs ahead", async () => {
    const { store, reader } = opened();
    const called = (parentSpanId: string, name: string) => ({ parentSpanId, name });
    const early = span(a, "1".repeat(16), t0 * 1e6, called("2".repeat(16), "pay"));
    const orphan = span(a, "3".repeat(16), t0 * 1e6, called("9".repeat(16), "stray"));
    await store.write(batch({ spans: [early, orphan, span(a, "2".repeat(16), t0 * 1e6, { name: "order" })] }));
    const lost = span(b, "1".repeat(16), t0 * 1e6, called("2".repeat(16), "inner"));
    await store.write(batch({ spans: [lost, span(b, "2".repeat(16), t0 * 1e6, called("9".repeat(16), "outer"))] }));
    const found = await reader.traces({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, limit: 10 });
    expect(found.map(({ root }) => root.name).toSorted()).toEqual(["order", "outer"]);
  });

  it("finds traces by operation, duration and tags, those of the resource too", async () => {
    const { store, reader } = opened();
    const [c, d] = ["c".repeat(32), "d".repeat(32)] as const;
    await store.write(
      batch({
        spans: [
          span(a, "1".repeat(16), t0 * 1e6, { name: "GET /", attributes: { "http.status_code": 200, user: "ann" } }),
          span(a, "2".repeat(16), t0 * 1e6 + 10, { service: "db", name: "SELECT", attributes: { rows: 3 } }),
          span(b, "3".repeat(16), t0 * 1e6 + 20, { name: "POST /", durationUs: 90_000, attributes: { user: "bob" } }),
          span(c, "4".repeat(16), t0 * 1e6 + 30, { name: "SELECT", resource: { "host.name": "n1" } }),
        ],
      }),
    );
    // The rest of a trace comes later, with what is searched for.
    await store.write(
      batch({
        spans: [span(c, "5".repeat(16), t0 * 1e6 + 40, { service: "db", name: "GET", attributes: { user: "cy" } })],
      }),
    );
    const found = async (query: object) =>
      (await reader.traces({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, limit: 10, ...query }))
        .map((trace) => trace.traceId[0])
        .join("");
    expect(await found({})).toBe("cba");
    expect(await found({ limit: 2 })).toBe("cb");
    expect(await found({ operation: "SELECT" })).toBe("ca");
    expect(await found({ service: "db", operation: "SELECT" })).toBe("a");
    expect(await found({ service: "db", operation: "GET" })).toBe("c");
    expect(await found({ operation: "SEL" })).toBe("");
    expect(await found({ minDurationMs: 50 })).toBe("b");
    expect(await found({ maxDurationMs: 50 })).toBe("ca");
    expect(await found({ tags: { user: "ann" } })).toBe("a");
    expect(await found({ tags: { "http.status_code": "200" } })).toBe("ca");
    expect(await found({ tags: { "host.name": "n1" } })).toBe("c");
    expect(await found({ tags: { user: "cy" } })).toBe("c");
    expect(await found({ tags: { user: "ann", rows: "3" } })).toBe(""); // of one span, not of two
    expect(await found({ service: "db", tags: { rows: "3" } })).toBe("a");
    expect((await reader.trace(d)).length).toBe(0);
    expect(await reader.operations()).toEqual([
      { service: "db", operations: ["GET", "SELECT"] },
      { service: "reviews.default", operations: ["GET /", "POST /", "SELECT"] },
    ]);
  });

  it("writes what no column can hold as the nearest that it can, so that nothing else waits for it", async () => {
    const { store, reader } = opened();
    const absurd = span(a, "1".repeat(16), 1e300, { durationUs: 1e300, kind: 2 ** 40 });
    await store.write(batch({ spans: [absurd, span(b, "2".repeat(16), t0 * 1e6)] }));
    expect([(await reader.trace(a)).length, (await reader.trace(b)).length]).toEqual([1, 1]);
  });

  it("gives back all that a span said", async () => {
    const { store, reader } = opened();
    const full = span(a, "1".repeat(16), t0 * 1e6, {
      attributes: { list: ["x", 1, true], "http.status_code": 200 },
      resource: { "service.name": "reviews", "host.name": "n1" },
      traceState: "k=v",
      statusMessage: "it broke",
      scope: { name: "http", version: "1.2", attributes: { team: "shop" } },
      events: [{ atUs: t0 * 1e6 + 5, name: "exception", attributes: { "exception.message": "no" } }],
      links: [{ traceId: b, spanId: "9".repeat(16), attributes: {} }],
      leftOut: { attributes: 3, events: 0, links: 1 },
    });
    await store.write(batch({ spans: [full] }));
    expect(await reader.trace(a)).toEqual([full]);
  });

  it("forgets spans past the retention", async () => {
    const { store, reader } = opened();
    await store.write(batch({ collector: { flushedAtMs: t0 * 1000 }, spans: [span(a, "1".repeat(16), t0 * 1e6)] }));
    await store.write(
      batch({ collector: { flushedAtMs: (t0 + 9) * 1000 }, spans: [span(b, "1".repeat(16), t0 * 1e6)] }),
    );
    const retention = { ...defaultRetention, spansSec: 5 };
    await store.compact({ nowMs: (t0 + 10) * 1000, settledUntilMs: 0, retention });
    expect(await reader.trace(a)).toEqual([]);
    expect(await reader.trace(b)).toHaveLength(1);
  });
}
