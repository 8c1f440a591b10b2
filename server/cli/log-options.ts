import type { Command } from "commander";
import { duration } from "./durations.ts";

/** As commander gives them. */
export interface LogOptions extends LogFilterOptions {
  since: string;
  limit: string;
}

export interface LogFilterOptions {
  service?: string;
  source?: string;
  destination?: string;
  proxy?: string;
  direction?: string;
  code?: string;
  grpc?: string;
  flag?: string;
  method?: string;
  path?: string;
  min?: string;
  max?: string;
  trace?: string;
  request?: string;
  errors?: boolean;
}

/** The flags by which requests are chosen. */
export const withLogFilters = (command: Command): Command =>
  command
    .option("--service <name>", "of the called service: hostname, namespace/name or name")
    .option("--source <peer>", "of the caller: namespace/app or namespace/app/version")
    .option("--destination <peer>", "of the workload that was reached, written likewise")
    .option("--proxy <id>", "told by this proxy (node id, as `limpid proxy-status -o json` has it)")
    .option("--direction <side>", "as told by the caller's proxy (outbound), the service's (inbound) or a gateway")
    .option("--code <code>", "status, such as 503; class, such as 5xx; 0: no response")
    .option("--grpc <status>", "gRPC status, 0 to 16")
    .option("--flag <flag>", "one of Envoy's response flags, such as UF or URX")
    .option("--method <method>", "HTTP method")
    .option("--path <part>", "a part of the path")
    .option("--min <duration>", "took at least so long, such as 250ms")
    .option("--max <duration>", "took at most so long")
    .option("--trace <id>", "of this trace")
    .option("--request <id>", "of this x-request-id")
    .option("--errors", "only 4xx, 5xx, no response and a gRPC status but OK");

const asIs = [
  "service",
  "source",
  "destination",
  "proxy",
  "direction",
  "code",
  "grpc",
  "flag",
  "method",
  "path",
  "trace",
  "request",
] as const;

/** The address that the dashboard is asked with; it says by itself what of it is wrong. Throws where a duration is none. */
export function logAddress(path: string, options: LogOptions): string {
  const { limit, since } = options;
  const query = filterQuery(options);
  return `${path}?${new URLSearchParams({ window: String(Math.ceil(duration("since", since) / 1000)), ...query, limit })}`;
}

/** The same of requests that are yet to come. */
export const liveAddress = (options: LogFilterOptions): string =>
  `/api/logs/live?${new URLSearchParams(filterQuery(options))}`;

function filterQuery(options: LogFilterOptions): Record<string, string> {
  const query = new Map<string, string>();
  for (const name of asIs) if (options[name] !== undefined) query.set(name, options[name]);
  for (const name of ["min", "max"] as const) {
    const text = options[name];
    if (text !== undefined) query.set(name, String(duration(name, text)));
  }
  if (options.errors) query.set("errors", "true");
  return Object.fromEntries(query);
}
