import { z } from "zod";
import { Attributes } from "./traces.ts";
import { windowField } from "./window.ts";

/** A line that an application wrote, by OTLP. https://opentelemetry.io/docs/specs/otel/logs/data-model/ */
export const ApplicationLog = z.object({
  id: z.number(),
  /** Unix milliseconds, fractional. */
  at: z.number(),
  /** As it names itself. */
  service: z.string(),
  /** OTLP's SeverityNumber: 1 trace, 5 debug, 9 info, 13 warn, 17 error, 21 fatal; 0: not told. */
  severity: z.number(),
  severityText: z.string(),
  body: z.string(),
  eventName: z.string(),
  /** Empty: of no trace. */
  traceId: z.string(),
  spanId: z.string(),
  /** The logger, and what it says of itself. */
  scope: z.string(),
  scopeAttributes: Attributes,
  attributes: Attributes,
  resource: Attributes,
});
export type ApplicationLog = z.infer<typeof ApplicationLog>;

/**
 * `GET /api/application-logs?…&before=<cursor>`, newest first. `GET /api/application-logs/live?…` sends what is written from now on as
 * server-sent events: `ApplicationLogEvents`.
 */
export const ApplicationLogPage = z.object({
  /** When it was read, Unix milliseconds. */
  at: z.number(),
  entries: z.array(ApplicationLog),
  /** `before` of the page that follows; null: this was the last. */
  next: z.string().nullable(),
});
export type ApplicationLogPage = z.infer<typeof ApplicationLogPage>;

export const ApplicationLogEvents = z.object({
  /** Newest first. */
  entries: z.array(ApplicationLog),
  /** There were more at once than are sent. */
  leftOut: z.boolean(),
});
export type ApplicationLogEvents = z.infer<typeof ApplicationLogEvents>;

/** The least severity that is looked for, by OTLP's SeverityNumber. */
export const severities = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;
export type Severity = keyof typeof severities;

const moment = z.coerce.number().int().min(0);

/** Its query. `window`: seconds before now, unless `from` and `to` say otherwise, Unix milliseconds. */
export const ApplicationLogSearch = z
  .object({
    service: z.string().max(500).optional(),
    severity: z.enum(Object.keys(severities) as [Severity, ...Severity[]]).optional(),
    text: z.string().max(2000).optional(),
    trace: z
      .string()
      .regex(/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i, "must be a trace id of 32 hexadecimal digits")
      .optional(),
    window: windowField(900),
    from: moment.optional(),
    to: moment.optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
    before: z
      .string()
      .regex(/^\d{1,16}-\d{1,16}$/, "must be the `next` of an earlier answer")
      .optional(),
  })
  .refine(({ from = 0, to = from + 1 }) => from < to, { path: ["to"], message: "must be after from" });
export type ApplicationLogSearch = z.infer<typeof ApplicationLogSearch>;
