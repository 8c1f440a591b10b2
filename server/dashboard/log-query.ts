import { z } from "zod";
import type { LogFilter, LogQuery, PeerFilter } from "../query/reader.ts";
import { directions } from "../wire/access-log-names.ts";
import { flagBitsOf } from "../wire/response-flags.ts";
import { parse } from "./parse.ts";

/** What `/api/logs` is asked for; the names of services are still as somebody wrote them. */
export type LogSearch = Omit<LogQuery, "fromMs" | "toMs"> & { windowSec: number } & Partial<
    Pick<LogQuery, "fromMs" | "toMs">
  >;

const maxWindowSec = 30 * 86_400;
const time = z.coerce.number("must be Unix milliseconds").int("must be Unix milliseconds").min(0);
const milliseconds = z.coerce.number("must be milliseconds, such as 250").min(0, "must not be negative");
const word = z.string().min(1, "must not be empty").max(2000, "must be shorter than 2,000 characters");

const Code = z
  .string()
  .regex(/^(?:[1-5]xx|0|[1-5]\d\d)$/i, "must be a status such as 503, a class such as 5xx, or 0 for no response")
  .transform((text) => {
    if (!/xx$/i.test(text)) return { codeFrom: Number(text), codeTo: Number(text) };
    const first = Number(text[0]) * 100;
    return { codeFrom: first, codeTo: first + 99 };
  });

const Peer = z
  .string()
  .regex(/^[^/]+\/[^/]+(?:\/[^/]+)?$/, "must be namespace/app or namespace/app/version")
  .transform((text): PeerFilter => {
    const [namespace = "", app = "", version] = text.split("/");
    return { namespace, app, ...(version !== undefined && { version }) };
  });

const Cursor = z
  .string()
  .regex(/^\d{1,16}-\d{1,16}$/, "must be the `next` of an earlier answer")
  .transform((text) => {
    const [atMs = 0, id = 0] = text.split("-").map(Number);
    return { atMs, id };
  });

const Filter = z.object({
  service: word.optional(),
  source: Peer.optional(),
  destination: Peer.optional(),
  proxy: word.optional(),
  direction: z.enum(directions, `must be one of ${directions.join(", ")}`).optional(),
  code: Code.optional(),
  grpc: z.coerce.number().int().min(0).max(16, "must be a gRPC status, 0 to 16").optional(),
  flag: z
    .string()
    .transform((flag) => flag.toUpperCase())
    .refine((flag) => flagBitsOf([flag]) !== 0, "must be one of Envoy's response flags, such as UF")
    .optional(),
  method: word.transform((method) => method.toUpperCase()).optional(),
  path: word.optional(),
  details: word.optional(),
  min: milliseconds.optional(),
  max: milliseconds.optional(),
  trace: z
    .string()
    .regex(/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i, "must be a trace id of 32 hexadecimal digits")
    .optional(),
  request: word.optional(),
  errors: z.enum(["true", "false"], "must be true or false").optional(),
});

const Search = Filter.extend({
  window: z.coerce
    .number("must be seconds, such as 900")
    .int("must be whole seconds")
    .min(1, "must be at least 1 s")
    .max(maxWindowSec)
    .default(900),
  from: time.optional(),
  to: time.optional(),
  limit: z.coerce.number("must be 1 to 500").int().min(1, "must be 1 to 500").max(500, "must be 1 to 500").default(100),
  before: Cursor.optional(),
})
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ["to"],
    message: "must be after from",
  })
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    path: ["max"],
    message: "must not be below min",
  });

/** Throws INVALID, which names every wrong parameter. Parameters of no name known here are the page's own, and left alone. */
export function parseLogSearch(query: Readonly<Record<string, string>>): LogSearch {
  const { window, from, to, limit, before, ...filter } = parse(Search, present(query));
  return {
    ...toFilter(filter),
    windowSec: window,
    limit,
    ...(from !== undefined && { fromMs: from }),
    ...(to !== undefined && { toMs: to }),
    ...(before !== undefined && { before }),
  };
}

/** The same for lines that are yet to come. */
export const parseLogFilter = (query: Readonly<Record<string, string>>): LogFilter =>
  toFilter(parse(Filter, present(query)));

function toFilter({ code, grpc, min, max, trace, request, errors, ...same }: z.infer<typeof Filter>): LogFilter {
  const filter: { [K in keyof LogFilter]?: LogFilter[K] | undefined } = {
    ...same,
    ...code,
    grpcStatus: grpc,
    minDurationMs: min,
    maxDurationMs: max,
    traceId: trace,
    requestId: request,
    errorsOnly: errors === "true" ? true : undefined,
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

/** A field of a form that was left empty asks for nothing. */
const present = (query: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ""));
