import { expect, it } from "vitest";
import type { LogEntry, TraceSpan } from "../../server/contract/index.ts";
import { lineOfSpan } from "./line-of-span.ts";

const entry = (id: number, changes: Partial<LogEntry> = {}): LogEntry =>
  ({
    id,
    proxy: "page",
    requestId: "r",
    direction: "outbound",
    authority: "reviews:9080",
    path: "/reviews/0",
    ...changes,
  }) as LogEntry;

function span(attributes: TraceSpan["attributes"], proxy = true): TraceSpan {
  const told = { node_id: "page", "guid:x-request-id": "r", "http.url": "http://reviews:9080/reviews/0" };
  const part: Partial<TraceSpan> = {
    proxy,
    attributes: { ...told, upstream_cluster: "outbound|9080||reviews", ...attributes },
  };
  return part as TraceSpan;
}

it("finds the line of the same request, proxy and side", () => {
  const lines = [
    entry(1, { proxy: "other" }),
    entry(2, { direction: "inbound" }),
    entry(3, { path: "/details/0" }),
    entry(4, { requestId: "s" }),
    entry(5),
  ];
  expect(lineOfSpan(span({}), lines)?.id).toBe(5);
  expect(lineOfSpan(span({ upstream_cluster: "inbound|9080||" }), lines)?.id).toBe(2);
  expect(lineOfSpan(span({ node_id: "nobody" }), lines)).toBeUndefined();
  expect(lineOfSpan(span({}, false), lines)).toBeUndefined();
});
