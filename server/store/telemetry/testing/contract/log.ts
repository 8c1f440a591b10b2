import { expect, it } from "vitest";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, log } from "../records.ts";
import type { Opened } from "./contract.ts";
import { t0 } from "./rollup-rows.ts";

/** Applications' logs. */
export function logContract(opened: () => Opened): void {
  it("finds applications' logs by time, service, severity, text and trace, newest first", async () => {
    const { store, reader } = opened();
    const traceId = "a".repeat(32);
    const resource = { "service.name": "reviews" };
    const logs = [
      log(t0 * 1e6, { body: "began", severity: 9, resource }),
      log(t0 * 1e6 + 1, { body: "100% broken", severity: 17, traceId, spanId: "1".repeat(16), resource }),
      log(t0 * 1e6 + 2, { body: "other", service: "ratings", attributes: { user: "ann" } }),
    ];
    await store.write(batch({ logs }));
    const bodies = async (query: object) =>
      (await reader.applicationLogs({ fromMs: t0 * 1000, toMs: t0 * 1000 + 1, limit: 10, ...query })).map(
        (l) => l.body,
      );
    expect(await bodies({})).toEqual(["other", "100% broken", "began"]);
    expect(await bodies({ limit: 1 })).toEqual(["other"]);
    expect(await bodies({ service: "reviews" })).toEqual(["100% broken", "began"]);
    expect(await bodies({ minSeverity: 17 })).toEqual(["100% broken"]);
    expect(await bodies({ text: "0% b" })).toEqual(["100% broken"]);
    expect(await bodies({ text: "%" })).toEqual(["100% broken"]);
    expect(await bodies({ traceId })).toEqual(["100% broken"]);
    const [first] = await reader.applicationLogs({ fromMs: 0, toMs: t0 * 2000, limit: 1, traceId });
    expect(first).toEqual({ ...logs[1], id: first?.id });
    const retention = { ...defaultRetention, maxLogs: 2 };
    await store.compact({ nowMs: t0 * 1000, settledUntilMs: 0, retention });
    expect(await bodies({})).toEqual(["other", "100% broken"]);
  });

  it("keeps all of a quiet application's logs, whatever a loud one writes", async () => {
    const { store, reader } = opened();
    const of = (service: string, count: number) =>
      Array.from({ length: count }, (_, i) => log(t0 * 1e6 + i, { body: `${service} ${i}`, service }));
    await store.write(batch({ logs: [...of("quiet", 3), ...of("loud", 12_000), ...of("less", 40)] }));
    const retention = { ...defaultRetention, maxLogs: 61 };
    while ((await store.compact({ nowMs: t0 * 1000, settledUntilMs: 0, retention })).more);
    const bodies = async (service: string) =>
      (await reader.applicationLogs({ fromMs: 0, toMs: t0 * 2000, limit: 20_000, service })).map(({ body }) => body);
    expect(await bodies("quiet")).toEqual(["quiet 2", "quiet 1", "quiet 0"]);
    expect(await bodies("loud")).toEqual(Array.from({ length: 29 }, (_, i) => `loud ${11_999 - i}`));
    expect(await bodies("less")).toEqual(Array.from({ length: 29 }, (_, i) => `less ${39 - i}`));
  });

  it("pages through applications' logs, also through those of one microsecond", async () => {
    const { store, reader } = opened();
    await store.write(batch({ logs: ["a", "b", "c", "d"].map((body) => log(t0 * 1e6, { body })) }));
    await store.write(batch({ logs: [log(t0 * 1e6 - 1, { body: "before" })] }));
    const bodies: string[] = [];
    for (let before: { atUs: number; id: number } | undefined; ; ) {
      const query = { fromMs: 0, toMs: t0 * 2000, limit: 2, ...(before && { before }) };
      const page = await reader.applicationLogs(query);
      bodies.push(...page.map(({ body }) => body));
      before = page.at(-1);
      if (page.length < 2) break;
    }
    expect(bodies).toEqual(["d", "c", "b", "a", "before"]);
  });

  it("tells of applications' lines that were written since one asked last, whenever they are from", async () => {
    const { store, reader } = opened();
    const write = (body: string, changes = {}) =>
      store.write(batch({ logs: [log(t0 * 1e6 - bodies.push(body), { body, ...changes })] }));
    const bodies: string[] = [];
    await write("before");
    const { rows, lastId } = await reader.newApplicationLogs({ afterId: 0, limit: 10 });
    expect(rows).toEqual([]);
    await write("a");
    await write("b", { service: "ratings", severity: 17 });
    await write("c");
    const first = await reader.newApplicationLogs({ afterId: lastId, limit: 2 });
    expect(first.rows.map(({ body }) => body)).toEqual(["a", "b"]);
    const second = await reader.newApplicationLogs({ afterId: first.lastId, limit: 2 });
    expect(second.rows.map(({ body }) => body)).toEqual(["c"]);
    expect((await reader.newApplicationLogs({ afterId: second.lastId, limit: 2 })).rows).toEqual([]);
    const errors = await reader.newApplicationLogs({ afterId: lastId, limit: 9, minSeverity: 17 });
    expect(errors.rows.map(({ body }) => body)).toEqual(["b"]);
  });
}
