import type { HttpUri } from "../../gen/proto/envoy/config/core/v3/http_uri_pb.js";
import { durationMs } from "../duration.ts";

/** Whom a call of the proxy's own goes to, as an `HttpUri` has it. */
export interface HttpTarget {
  readonly cluster: string;
  readonly scheme: string;
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  readonly timeoutMs: number;
}

/** envoy.config.core.v3.HttpUri. Throws an Error naming the field. */
export function httpTarget(uri: HttpUri | undefined): HttpTarget {
  const [, scheme = "", authority = "", path = ""] = /^(https?):\/\/([^/?#\s]+)([^#\s]*)$/.exec(uri?.uri ?? "") ?? [];
  if (authority === "") throw new Error(`uri: ${JSON.stringify(uri?.uri ?? "")} is no http or https URL`);
  if (uri?.httpUpstreamType.case !== "cluster") throw new Error("cluster: required");
  if (uri.timeout === undefined) throw new Error("timeout: required");
  return {
    cluster: uri.httpUpstreamType.value,
    scheme,
    authority,
    path: path.startsWith("/") ? path : `/${path}`,
    timeoutMs: durationMs(uri.timeout),
  };
}
