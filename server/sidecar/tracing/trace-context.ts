/** What came in with a request: whose span is the parent, and whether somebody decided on sampling already. */
export interface IncomingContext {
  traceId: string;
  parentSpanId: string;
  /** Undefined when the caller leaves it to us. */
  sampled: boolean | undefined;
  tracestate: string;
}

/**
 * Reads W3C `traceparent`, else B3 (single header, else several). `headers` is flat [name, value, …] in lower case. A malformed header is as
 * good as none. https://www.w3.org/TR/trace-context/ · https://github.com/openzipkin/b3-propagation
 */
export function extractContext(headers: readonly string[]): IncomingContext | undefined {
  let traceparent = "";
  let tracestate = "";
  let b3 = "";
  let traceId = "";
  let spanId = "";
  let sampled = "";
  let debug = "";
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1] ?? "";
    switch (headers[index]) {
      case "traceparent":
        traceparent = value;
        break;
      case "tracestate":
        tracestate = tracestate === "" ? value : `${tracestate},${value}`;
        break;
      case "b3":
        b3 = value;
        break;
      case "x-b3-traceid":
        traceId = value;
        break;
      case "x-b3-spanid":
        spanId = value;
        break;
      case "x-b3-sampled":
        sampled = value;
        break;
      case "x-b3-flags":
        debug = value;
        break;
    }
  }
  if (traceparent !== "") {
    const context = fromTraceparent(traceparent, tracestate);
    if (context !== undefined) return context;
  }
  if (b3 !== "") return fromB3(b3);
  if (traceId === "" && sampled === "" && debug === "") return undefined;
  return fromParts(traceId, spanId, debug === "1" ? "d" : sampled);
}

const w3c = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

function fromTraceparent(value: string, tracestate: string): IncomingContext | undefined {
  const match = w3c.exec(value.trim());
  if (match === null) return undefined;
  const [, version = "", traceId = "", parentSpanId = "", flags = "", more] = match;
  // Version ff is invalid, version 00 has exactly four fields, ids of zeros are invalid (§3.2.2).
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (isZero(traceId) || isZero(parentSpanId)) return undefined;
  return { traceId, parentSpanId, sampled: (Number.parseInt(flags, 16) & 1) === 1, tracestate };
}

function fromB3(value: string): IncomingContext | undefined {
  const parts = value.trim().toLowerCase().split("-");
  if (parts.length === 1) return fromParts("", "", parts[0] ?? "");
  return fromParts(parts[0] ?? "", parts[1] ?? "", parts[2] ?? "");
}

function fromParts(traceId: string, spanId: string, decision: string): IncomingContext | undefined {
  const sampled =
    decision === "1" || decision === "d" || decision === "true" ? true : decision === "" ? undefined : false;
  const id = traceId.toLowerCase();
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/.test(id) || isZero(id)) {
    // A decision without a trace is allowed (`b3: 0`).
    return sampled === undefined ? undefined : { traceId: "", parentSpanId: "", sampled, tracestate: "" };
  }
  const parent = spanId.toLowerCase();
  return {
    traceId: id.padStart(32, "0"),
    parentSpanId: /^[0-9a-f]{16}$/.test(parent) && !isZero(parent) ? parent : "",
    sampled,
    tracestate: "",
  };
}

const isZero = (id: string) => /^0+$/.test(id);
