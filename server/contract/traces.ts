import { z } from "zod";

/** A trace as lists show it. */
export const TraceSummary = z.object({
  traceId: z.string(),
  /** Unix milliseconds. */
  startMs: z.number(),
  durationMs: z.number(),
  spans: z.number(),
  errors: z.number(),
  /** As senders name themselves; proxies as `<app>.<namespace>`. */
  services: z.array(z.string()),
  /** The earliest span. */
  root: z.object({ name: z.string(), service: z.string() }),
});
export type TraceSummary = z.infer<typeof TraceSummary>;

/** `GET /api/traces`: newest first. */
export const TraceList = z.object({
  /** What was searched, Unix milliseconds. */
  fromMs: z.number(),
  toMs: z.number(),
  traces: z.array(TraceSummary),
  /** There may be older ones: as many as `limit` were found. */
  full: z.boolean(),
});
export type TraceList = z.infer<typeof TraceList>;

const ms = z.coerce.number("must be milliseconds, such as 250").min(0, "must not be negative").max(1e9);
const moment = z.coerce.number("must be Unix milliseconds").int("must be Unix milliseconds").min(0);

/** `key=value`, several of them apart by spaces; a value with spaces stands in double quotes. */
const Tags = z
  .string()
  .max(1000)
  .transform((text, context) => {
    const tags: Record<string, string> = {};
    for (const [part] of text.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
      const [, key, value] = /^([^=]+)=(.*)$/.exec(part.replaceAll('"', "")) ?? [];
      if (key === undefined || value === undefined)
        context.addIssue({
          code: "custom",
          message: `must be key=value, such as http.status_code=503, and not ${part}`,
        });
      else tags[key] = value;
    }
    return tags;
  });

/** The query of `GET /api/traces`; durations in milliseconds, of the whole trace. */
export const TraceSearch = z
  .object({
    service: z.string().max(500).optional(),
    operation: z.string().max(1000).optional(),
    min: ms.optional(),
    max: ms.optional(),
    errors: z
      .enum(["true", "false"])
      .default("false")
      .transform((value) => value === "true"),
    /** All of one span. */
    tag: Tags.optional(),
    /** Seconds before now, unless `from` and `to` say otherwise, Unix milliseconds. */
    window: z.coerce
      .number()
      .int()
      .min(1)
      .max(30 * 86_400)
      .default(3600),
    from: moment.optional(),
    to: moment.optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(200),
  })
  .refine(({ min = 0, max = min }) => min <= max, { path: ["max"], message: "must not be below min" })
  .refine(({ from = 0, to = from + 1 }) => from < to, { path: ["to"], message: "must be after from" });
export type TraceSearch = z.infer<typeof TraceSearch>;

/** `GET /api/traces/operations`: who sent spans, and their names. */
export const TraceOperations = z.object({
  services: z.array(z.object({ service: z.string(), operations: z.array(z.string()) })),
});
export type TraceOperations = z.infer<typeof TraceOperations>;

const Scalar = z.union([z.string(), z.number(), z.boolean()]);
export const Attributes = z.record(z.string(), z.union([Scalar, z.array(Scalar).readonly()]));
/** From and to, microseconds since the trace's start. */
const Stretch = z.tuple([z.number(), z.number()]);
export type Stretch = z.infer<typeof Stretch>;

/** A span at its place in the tree; times are microseconds since the trace's start, corrected by `skewUs`. */
export const TraceSpan = z.object({
  /** Unique in the trace, also where two spans have one span id. */
  id: z.string(),
  spanId: z.string(),
  parentSpanId: z.string(),
  /** Nobody sent this span: it stands for the parent that others name. It has nothing but its place. */
  missing: z.boolean(),
  /** 0: a root. */
  depth: z.number(),
  /** How many of the spans that follow are below it. */
  descendants: z.number(),
  service: z.string(),
  /** The workload's version, when the span tells. */
  version: z.string().nullable(),
  /** A proxy sent it. */
  proxy: z.boolean(),
  name: z.string(),
  /** OTLP's SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: z.number(),
  startUs: z.number(),
  durationUs: z.number(),
  /** In which no child ran. */
  selfUs: z.number(),
  /** What was added to the start that the sender's clock gave. */
  skewUs: z.number(),
  /** The parts of the critical path that it is to answer for. */
  critical: z.array(Stretch),
  /** Between two of its children, when none ran. */
  gaps: z.array(Stretch),
  error: z.boolean(),
  statusMessage: z.string(),
  attributes: Attributes,
  resource: Attributes,
  traceState: z.string(),
  scope: z.object({ name: z.string(), version: z.string(), attributes: Attributes.optional() }),
  events: z.array(z.object({ atUs: z.number(), name: z.string(), attributes: Attributes })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string(), attributes: Attributes })),
  /** How many it had more of, which nobody kept. */
  leftOut: z.object({ attributes: z.number(), events: z.number(), links: z.number() }).optional(),
});
export type TraceSpan = z.infer<typeof TraceSpan>;

/** `GET /api/traces/{id}` */
export const Trace = TraceSummary.extend({
  /** In the tree's order: a parent before its children, those by their start. */
  tree: z.array(TraceSpan),
  totals: z.array(
    z.object({
      service: z.string(),
      spans: z.number(),
      errors: z.number(),
      selfUs: z.number(),
      criticalUs: z.number(),
    }),
  ),
  /** When no span ran. */
  gaps: z.array(Stretch),
});
export type Trace = z.infer<typeof Trace>;
