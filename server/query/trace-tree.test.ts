import { describe, expect, it } from "vitest";
import type { Trace } from "../contract/index.ts";
import { Trace as TraceSchema } from "../contract/index.ts";
import type { SpanRow } from "./reader.ts";
import { buildTrace } from "./trace-tree.ts";

const traceId = "a".repeat(32);

/** `span("b", "a", 10, 20)`: b below a, from 10 to 20 µs. Of one host, unless `changes` say otherwise. */
const span = (
  spanId: string,
  parentSpanId: string,
  from: number,
  to: number,
  changes: Partial<SpanRow> = {},
): SpanRow => ({
  traceId,
  spanId,
  parentSpanId,
  service: "shop",
  name: spanId,
  kind: 1,
  startUs: 1_000_000 + from,
  durationUs: to - from,
  error: false,
  attributes: {},
  resource: {},
  traceState: "",
  statusMessage: "",
  scope: { name: "", version: "" },
  events: [],
  links: [],
  ...changes,
});

function built(...spans: SpanRow[]): Trace {
  const trace = buildTrace(spans);
  if (!trace) throw new Error("no trace");
  return TraceSchema.parse(trace);
}

/** `a(b(c) d)`; one that nobody sent has a `?` before it. */
function shape({ tree }: Trace, from = 0, to = tree.length): string {
  const parts: string[] = [];
  for (let at = from; at < to; ) {
    const span = tree[at];
    if (!span) break;
    const end = at + 1 + span.descendants;
    const below = shape({ tree } as Trace, at + 1, end);
    parts.push(`${span.missing ? "?" : ""}${span.id}${below ? `(${below})` : ""}`);
    at = end;
  }
  return parts.join(" ");
}

const one = (trace: Trace, id: string) => trace.tree.find((span) => span.id === id);

describe("the tree", () => {
  it.each<[string, SpanRow[], string]>([
    [
      "children by their start, in whatever order they came",
      [span("c", "a", 20, 30), span("a", "", 0, 50), span("b", "a", 5, 9)],
      "a(b c)",
    ],
    [
      "several levels",
      [span("a", "", 0, 50), span("b", "a", 5, 40), span("c", "b", 6, 9), span("d", "a", 41, 45)],
      "a(b(c) d)",
    ],
    ["several roots", [span("a", "", 0, 5), span("b", "", 9, 12)], "a b"],
    ["orphans of one parent stay together", [span("b", "x", 5, 9), span("c", "x", 6, 12)], "?x(b c)"],
    ["an orphan beside a root", [span("a", "", 0, 50), span("b", "x", 5, 9)], "a ?x(b)"],
    ["a ring is cut", [span("a", "b", 0, 9), span("b", "a", 1, 8)], "a(b)"],
    ["its own parent", [span("a", "a", 0, 9)], "a"],
    [
      "two ends of a call with one id",
      [
        span("a", "", 0, 9, { kind: 2 }),
        span("b", "a", 2, 7, { kind: 2 }),
        span("b", "a", 1, 8, { kind: 3 }),
        span("c", "b", 3, 4),
      ],
      "a(b.2(b(c)))",
    ],
  ])("%s", (_name, spans, expected) => {
    expect(shape(built(...spans))).toBe(expected);
  });

  it("is nothing without spans", () => {
    expect(buildTrace([])).toBeUndefined();
  });

  it("holds 20,000 spans below each other", () => {
    const deep = Array.from({ length: 20_000 }, (_, i) => span(`s${i}`, i === 0 ? "" : `s${i - 1}`, i, 100_000 - i));
    const trace = built(...deep);
    expect([trace.tree[0]?.descendants, trace.tree.at(-1)?.depth]).toEqual([19_999, 19_999]);
  });
});

describe("times", () => {
  it.each<[string, SpanRow[], Record<string, [number, number][]>]>([
    ["a root alone", [span("a", "", 0, 50)], { a: [[0, 50]] }],
    [
      "what ended last is waited for, then what ended before it began",
      [span("a", "", 0, 100), span("b", "a", 10, 40), span("c", "a", 50, 90), span("d", "a", 55, 60)],
      {
        a: [
          [0, 10],
          [40, 50],
          [90, 100],
        ],
        b: [[10, 40]],
        c: [[50, 90]],
      },
    ],
    [
      "of two at once the one that ends later",
      [span("a", "", 0, 100), span("b", "a", 10, 80), span("c", "a", 20, 90)],
      {
        a: [
          [0, 20],
          [90, 100],
        ],
        c: [[20, 90]],
      },
    ],
    [
      "a child counts as far as it lies in its parent",
      [span("a", "", 0, 50), span("b", "a", 40, 80)],
      { a: [[0, 40]], b: [[40, 50]] },
    ],
  ])("critical path: %s", (_name, spans, expected) => {
    const found = built(...spans).tree.flatMap(({ id, critical }) =>
      critical.length ? [[id, critical] as const] : [],
    );
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it("self time is what no child covers, however they overlap", () => {
    const trace = built(span("a", "", 0, 100), span("b", "a", 10, 40), span("c", "a", 30, 60), span("d", "a", 90, 130));
    expect(one(trace, "a")?.selfUs).toBe(40);
    expect(one(trace, "b")?.selfUs).toBe(30);
  });

  it("gaps are between children, and between roots", () => {
    const trace = built(span("a", "", 0, 50), span("b", "a", 5, 10), span("c", "a", 20, 30), span("z", "", 70, 80));
    expect(one(trace, "a")?.gaps).toEqual([[10, 20]]);
    expect(trace.gaps).toEqual([[50, 70]]);
    expect(trace.durationMs).toBe(0.08);
  });
});

describe("clocks that run apart", () => {
  const other = { service: "db" };
  it.each<[string, SpanRow[], Record<string, [start: number, skew: number]>]>([
    ["within its parent: as told", [span("a", "", 0, 100), span("b", "a", 10, 20, other)], { b: [10, 0] }],
    ["too early: into the middle", [span("a", "", 0, 9000), span("b", "a", -5000, -1000, other)], { b: [2500, 7500] }],
    ["too late: into the middle", [span("a", "", 0, 9000), span("b", "a", 8000, 12_000, other)], { b: [2500, -5500] }],
    ["of the same host: as told", [span("a", "", 0, 9000), span("b", "a", 8000, 12_000)], { b: [8000, 0] }],
    ["done after its caller: as told", [span("a", "", 0, 9000), span("b", "a", 3000, 12_000, other)], { b: [3000, 0] }],
    [
      "a little after its caller: as told, however short",
      [span("a", "", 0, 9000), span("b", "a", 8900, 9500, other)],
      { b: [8900, 0] },
    ],
    [
      "a little before its caller: with it",
      [span("a", "", 0, 9000), span("b", "a", -300, 500, other)],
      { b: [0, 300] },
    ],
    [
      "longer than its parent: only not before it",
      [span("a", "", 0, 100), span("b", "a", -50, 100, other)],
      { b: [0, 50] },
    ],
    ["longer and later: as told", [span("a", "", 0, 100), span("b", "a", 50, 200, other)], { b: [50, 0] }],
    [
      "what its host sent below it moves along",
      [span("a", "", 0, 9000), span("b", "a", -5000, -1000, other), span("c", "b", -4000, -3000, other)],
      { b: [2500, 7500], c: [3500, 7500] },
    ],
  ])("%s", (_name, spans, expected) => {
    const trace = built(...spans);
    for (const [id, [start, skew]] of Object.entries(expected))
      expect([one(trace, id)?.startUs, one(trace, id)?.skewUs]).toEqual([start, skew]);
  });

  it("moves events along", () => {
    const events = [{ atUs: 1_000_000 - 4900, name: "x", attributes: {} }];
    const trace = built(span("a", "", 0, 9000), span("b", "a", -5000, -1000, { ...other, events }));
    expect(one(trace, "b")?.events[0]?.atUs).toBe(2600);
  });
});

it("sums up by service, the longest on the critical path first", () => {
  const trace = built(
    span("a", "", 0, 100),
    span("b", "a", 10, 90, { service: "db", error: true }),
    span("c", "x", 20, 30, { service: "db" }),
  );
  expect(trace.totals).toEqual([
    { service: "db", spans: 2, errors: 1, selfUs: 90, criticalUs: 90 },
    { service: "shop", spans: 1, errors: 0, selfUs: 20, criticalUs: 20 },
  ]);
  expect([trace.spans, trace.errors, trace.root]).toEqual([3, 1, { name: "a", service: "shop" }]);
});

it.each<[string, Partial<SpanRow>, string | null]>([
  ["Istio's tag", { attributes: { "istio.canonical_revision": "v3" } }, "v3"],
  ["OpenTelemetry's resource", { resource: { "service.version": "1.2" } }, "1.2"],
  [
    "a proxy's workload",
    { service: "reviews.default", attributes: { node_id: "sidecar~10.0.0.1~reviews-v2.default~x" } },
    "v2",
  ],
  [
    "a pod's name",
    { service: "reviews.default", attributes: { node_id: "sidecar~10.0.0.1~reviews-v2-5d4f-x2x.default~x" } },
    "v2",
  ],
  [
    "a workload without one",
    { service: "db.default", attributes: { node_id: "sidecar~10.0.0.1~db-main.default~x" } },
    null,
  ],
  ["nothing", {}, null],
])("the version by %s", (_name, changes, expected) => {
  expect(built(span("a", "", 0, 1, changes)).tree[0]?.version).toBe(expected);
});
