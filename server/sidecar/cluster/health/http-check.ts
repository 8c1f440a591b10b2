import { healthCheckerAgent } from "../../../wire/health-checker.ts";
import { getHeader } from "../../http/headers.ts";
import type { StreamRequestHead } from "../../http/stream.ts";
import { newRecord } from "../../record.ts";
import { applyHeaderOps } from "../../route/header-ops.ts";
import type { HttpCheckConfig } from "./check-config.ts";
import type { CheckStats } from "./check-stats.ts";
import type { ExchangeResponse } from "./http-exchange.ts";
import { containsInOrder } from "./payload.ts";
import type { CheckResult } from "./session.ts";

/** @param host that the check is for, where it names none itself */
export function httpCheckHead(config: HttpCheckConfig, host: string, secure: boolean): StreamRequestHead {
  const headers = ["user-agent", healthCheckerAgent];
  applyHeaderOps(config.headers, headers, newRecord(0, 0));
  if (config.send.length > 0) headers.push("content-length", String(config.send.length));
  return {
    method: config.method,
    path: config.path,
    authority: host,
    scheme: secure ? "https" : "http",
    headers,
    contentLength: config.send.length > 0 ? config.send.length : -1,
    upgrade: "",
    bytes: 0,
  };
}

/** Envoy's verdict. `atOnce`: the host asks to be left out of every reckoning. */
export interface Verdict {
  readonly result: CheckResult;
  readonly atOnce: boolean;
}

export function judgeHttp(config: HttpCheckConfig, response: ExchangeResponse, stats: CheckStats): Verdict {
  const { status, headers, body } = response;
  const atOnce = getHeader(headers, "x-envoy-immediate-health-check-fail") !== undefined;
  if (!containsInOrder(body, config.receive)) return { result: failed(status, false), atOnce };
  if (!config.expects(status)) return { result: failed(status, config.retries(status)), atOnce };
  if (config.serviceName !== undefined) {
    stats.verifyCluster.inc();
    const name = getHeader(headers, "x-envoy-upstream-healthchecked-cluster") ?? "";
    if (!config.serviceName(name)) return { result: failed(status, false), atOnce: false };
  }
  const degraded = getHeader(headers, "x-envoy-degraded") !== undefined;
  return { result: { passed: true, degraded }, atOnce: false };
}

const failed = (status: number, retriable: boolean): CheckResult => ({
  passed: false,
  failure: "active",
  retriable,
  status,
});
