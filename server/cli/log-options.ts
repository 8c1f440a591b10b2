import { parseGoDuration } from "../lib/go-duration.ts";

/** As commander gives them. */
export interface LogOptions {
  follow?: boolean;
  since: string;
  limit: string;
  output: string;
  portOffset?: string;
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
  "limit",
] as const;

/** The address that the dashboard is asked with; it says by itself what of it is wrong. Throws where a duration is none. */
export function logAddress(path: string, options: LogOptions): string {
  const query = new URLSearchParams({ window: String(Math.ceil(duration("since", options.since) / 1000)) });
  for (const name of asIs) if (options[name] !== undefined) query.set(name, options[name]);
  for (const name of ["min", "max"] as const) {
    const text = options[name];
    if (text !== undefined) query.set(name, String(duration(name, text)));
  }
  if (options.errors) query.set("errors", "true");
  return `${path}?${query}`;
}

function duration(option: string, text: string): number {
  const ms = parseGoDuration(text);
  if (ms === undefined || ms < 0)
    throw new Error(`--${option} ${text}: must be a duration such as 250ms, 90s, 15m or 6h`);
  return ms;
}
