import { expect, it } from "vitest";
import { ResponseFlag } from "../record.ts";
import { debugLog } from "./debug-log.ts";
import { sampleRecord } from "./testing/sample-record.ts";

function logged(level: "info" | "debug", over: Partial<ReturnType<typeof sampleRecord>> = {}) {
  const lines: [unknown, unknown][] = [];
  const log = debugLog({
    isLevelEnabled: () => level === "debug",
    debug: (fields: unknown, message?: unknown) => void lines.push([fields, message]),
  });
  log.log({ ...sampleRecord(), ...over });
  return lines;
}

it("says what became of a request, without its query, and nothing at other levels", () => {
  const over = {
    method: "GET",
    path: "/reviews/0?token=s3cret",
    responseCode: 503,
    responseFlags: ResponseFlag.upstreamConnectionFailure,
    upstreamTransportFailureReason: "ECONNREFUSED",
    upstreamAttempts: 3,
  };
  const [[fields, message] = []] = logged("debug", over);
  expect(message).toBe("request");
  expect(fields).toMatchObject({ method: "GET", path: "/reviews/0", status: 503, flags: "UF", attempts: 3 });
  expect(fields).toMatchObject({ failure: "ECONNREFUSED", cluster: sampleRecord().upstreamCluster });
  expect(JSON.stringify(fields)).not.toContain("s3cret");
  expect(logged("info", over)).toEqual([]);
});

it("calls a connection one, which has no status", () => {
  const [[fields, message] = []] = logged("debug", { protocol: "" });
  expect(message).toBe("connection");
  expect(fields).not.toHaveProperty("status");
  expect(fields).not.toHaveProperty("path");
});
