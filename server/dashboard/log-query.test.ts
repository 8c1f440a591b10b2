import { describe, expect, it } from "vitest";
import { DashboardError } from "../contract/index.ts";
import { parseLogFilter, parseLogSearch } from "./log-query.ts";

const wrong = (query: Record<string, string>): string[] => {
  try {
    parseLogSearch(query);
  } catch (error) {
    if (error instanceof DashboardError && error.code === "INVALID")
      return (error.errors ?? []).map(({ path }) => path);
    throw error;
  }
  return [];
};

describe("parseLogSearch", () => {
  it("asks for the last quarter of an hour by itself", () => {
    expect(parseLogSearch({})).toEqual({ windowSec: 900, limit: 100 });
  });
  it("reads every parameter", () => {
    const query = {
      window: "60",
      from: "1000",
      to: "2000",
      limit: "5",
      before: "1500-7",
      service: "reviews",
      source: "default/productpage",
      destination: "default/reviews/v2",
      proxy: "sidecar~1",
      direction: "inbound",
      code: "5xx",
      grpc: "14",
      flag: "uf",
      method: "get",
      path: "/reviews",
      min: "0.5",
      max: "250",
      trace: "4BF92F3577B34DA6A3CE929D0E0E4736",
      request: "r1",
      errors: "true",
    };
    expect(parseLogSearch(query)).toEqual({
      windowSec: 60,
      fromMs: 1000,
      toMs: 2000,
      limit: 5,
      before: { atMs: 1500, id: 7 },
      service: "reviews",
      source: { namespace: "default", app: "productpage" },
      destination: { namespace: "default", app: "reviews", version: "v2" },
      proxy: "sidecar~1",
      direction: "inbound",
      codeFrom: 500,
      codeTo: 599,
      grpcStatus: 14,
      flag: "UF",
      method: "GET",
      path: "/reviews",
      minDurationMs: 0.5,
      maxDurationMs: 250,
      traceId: "4BF92F3577B34DA6A3CE929D0E0E4736",
      requestId: "r1",
      errorsOnly: true,
    });
  });
  it.each([
    ["503", 503, 503],
    ["0", 0, 0],
    ["4XX", 400, 499],
  ])("takes %s for a status", (code, codeFrom, codeTo) => {
    expect(parseLogFilter({ code })).toEqual({ codeFrom, codeTo });
  });
  it("takes an empty field for one that is left out, and leaves the page's own parameters alone", () => {
    expect(parseLogFilter({ path: "", open: "7", live: "1", errors: "false" })).toEqual({});
  });
  it("names every wrong parameter at once", () => {
    const query = {
      window: "0",
      code: "6xx",
      flag: "NOPE",
      direction: "up",
      min: "-1",
      trace: "xyz",
      source: "a",
      before: "1",
    };
    expect(wrong(query).toSorted()).toEqual(Object.keys(query).toSorted());
    expect(wrong({ from: "2", to: "1" })).toEqual(["to"]);
    expect(wrong({ min: "2", max: "1" })).toEqual(["max"]);
    expect(wrong({ limit: "501" })).toEqual(["limit"]);
    expect(() => parseLogSearch({ code: "6xx" })).toThrow(/code: must be a status such as 503/);
  });
});
