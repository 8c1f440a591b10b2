import { type LoadPlan, LoadPlan as LoadPlanSchema, type LoadTarget } from "../../contract/index.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { CliError } from "../config/io.ts";

/** What the flags of `limpid load` say. */
export interface PlanOptions {
  from?: string;
  rate: string;
  duration: string;
  warmUp: string;
  connections: string;
  timeout: string;
  method?: string;
  header?: string[];
  data?: string;
  also?: string[];
  weight: string;
  arrivals: LoadPlan["arrivals"];
  http2?: boolean;
  insecure?: boolean;
}

/** Throws a CliError that names every flag that is wrong. `target`: through whom the requests go, where `--from` says so. */
export function planOf(url: string, options: PlanOptions, target?: LoadTarget): LoadPlan {
  const asked = URL.parse(url);
  if (asked === null || !/^https?:$/.test(asked.protocol))
    throw new CliError(`error: ${url} is no URL such as http://127.0.0.1:8080/productpage`);
  const host = target && { host: asked.host };
  const plan = {
    url: target ? target.origin + asked.pathname + asked.search : url,
    method: options.method ?? (options.data === undefined ? "GET" : "POST"),
    headers: { ...host, ...headersOf(options.header ?? []) },
    body: options.data ?? "",
    weight: Number(options.weight),
    also: (options.also ?? []).map((text) => alsoOf(text, target)),
    rate: Number(options.rate),
    durationSec: secondsOf("--duration", options.duration),
    warmUpSec: secondsOf("--warm-up", options.warmUp),
    connections: Number(options.connections),
    timeoutMs: Math.round(secondsOf("--timeout", options.timeout) * 1000),
    arrivals: options.arrivals,
    protocol: options.http2 ? "http2" : "http1",
    insecure: options.insecure ?? false,
  };
  const read = LoadPlanSchema.safeParse(plan);
  if (read.success) return read.data;
  throw new CliError(
    ...read.error.issues.map(({ path, message }) => `error: ${flags[String(path[0])] ?? path.join(".")}: ${message}`),
  );
}

/** `3 POST http://reviews:9080/reviews/0`: weight, method, URL; the first two may be left out. */
function alsoOf(text: string, target?: LoadTarget): LoadPlan["also"][number] {
  const [, weight = "1", method = "GET", url = ""] = /^(?:(\d+)\s+)?(?:([A-Z]+)\s+)?(\S+)$/.exec(text.trim()) ?? [];
  const asked = URL.parse(url);
  if (asked === null || !/^https?:$/.test(asked.protocol))
    throw new CliError(
      `error: --also ${text}: must be weight, method and URL, such as "3 GET http://127.0.0.1:8080/health"`,
    );
  return {
    ...{ method, weight: Number(weight), url: target ? target.origin + asked.pathname + asked.search : url },
    ...(target && { headers: { host: asked.host } }),
  };
}

const flags: Record<string, string> = {
  also: "--also",
  weight: "--weight",
  url: "the URL",
  method: "--method",
  headers: "--header",
  body: "--data",
  rate: "--rate",
  durationSec: "--duration",
  warmUpSec: "--warm-up",
  connections: "--connections",
  timeoutMs: "--timeout",
};

/** Throws a CliError for what is no duration. */
export function secondsOf(flag: string, text: string): number {
  const ms = parseGoDuration(text);
  if (ms === undefined) throw new CliError(`error: ${flag} ${text}: must be a duration such as 30s or 1m30s`);
  return ms / 1000;
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new CliError(`error: --header ${line}: must be name: value`);
      return [name, value];
    }),
  );
}

/** The way in of the proxy that is called so: by its name, or `namespace/name`. Of a gateway with several, the one for the URL's scheme. */
export function targetOf(from: string, url: string, targets: readonly LoadTarget[]): LoadTarget {
  const called = targets.filter(({ name, namespace }) => [name, `${namespace}/${name}`].includes(from));
  const scheme = URL.parse(url)?.protocol ?? "";
  const found = called.find(({ origin }) => origin.startsWith(`${scheme}//`)) ?? called[0];
  if (found) return found;
  const known = [...new Set(targets.map(({ namespace, name }) => `${namespace}/${name}`))].join(", ");
  throw new CliError(`error: --from ${from}: no connected proxy is called so; there are ${known || "none"}`);
}
