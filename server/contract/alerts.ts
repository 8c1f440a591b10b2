import { z } from "zod";
import { toldParts } from "./told.ts";

export const AlertSeverity = z.enum(["Info", "Warning", "Critical"]);
export type AlertSeverity = z.infer<typeof AlertSeverity>;

/**
 * What is measured, and so the unit of `value` and `limit`: percent of requests, milliseconds, requests per second; of `health` the reason's; of a proxy since when (Unix
 * milliseconds; 0: it was never there), of a certificate when it ends.
 */
export const AlertMeasure = z.enum([
  "errors",
  "latency-p50",
  "latency-p90",
  "latency-p95",
  "latency-p99",
  "rate-above",
  "rate-below",
  "health-errors",
  "health-client-errors",
  "health-latency",
  "proxy-disconnected",
  "proxy-refused",
  "proxy-lagging",
  "certificate",
]);
export type AlertMeasure = z.infer<typeof AlertMeasure>;

/** Whom it is about. A service's `name` is its title, `hostname` what its page is found by; a proxy's `id` its node id. */
export const AlertSubject = z.object({
  kind: z.enum(["service", "proxy"]),
  namespace: z.string(),
  name: z.string(),
  id: z.string(),
});
export type AlertSubject = z.infer<typeof AlertSubject>;

/** The `spec` of an AlertRule, as far as pages know it. */
export const AlertRuleShape = z.looseObject({
  service: z.string().optional(),
  when: z.looseObject({
    errors: z.object({ above: z.number() }).optional(),
    latency: z.object({ above: z.string(), percentile: z.enum(["P50", "P90", "P95", "P99"]).optional() }).optional(),
    rate: z.object({ above: z.number().optional(), below: z.number().optional() }).optional(),
    health: z.object({ atLeast: z.enum(["Degraded", "Failing"]) }).optional(),
    proxies: z.object({ states: z.array(z.enum(["Disconnected", "Refused", "Lagging"])) }).optional(),
    certificates: z.object({ endWithin: z.string() }).optional(),
  }),
  window: z.string().optional(),
  for: z.string().optional(),
  severity: AlertSeverity.optional(),
  receivers: z.array(z.string()).optional(),
  suspended: z.boolean().optional(),
  mutedUntil: z.string().optional(),
});
export type AlertRuleShape = z.infer<typeof AlertRuleShape>;

/** How a notice is over. `recovered`: as it should be; `gone`: there is nobody any more whom it was about; `rule-gone`: nobody asks any more. */
export const AlertEnd = z.enum(["recovered", "gone", "rule-gone"]);
export type AlertEnd = z.infer<typeof AlertEnd>;

/** Why a receiver has not taken a message. */
export const AlertFailure = z.object({ message: z.string(), ...toldParts });
export type AlertFailure = z.infer<typeof AlertFailure>;

/** That a receiver was told. `why` of what waits: how the last try failed. */
export const AlertDelivery = z.object({
  receiver: z.string(),
  phase: z.enum(["fired", "cleared"]),
  state: z.enum(["waiting", "sent", "failed"]),
  /** Unix milliseconds of the last try; 0: none yet. */
  at: z.number(),
  // Those that were kept before reasons had words are texts.
  why: z.preprocess((why) => (typeof why === "string" ? { message: why } : why), AlertFailure.nullable()),
});
export type AlertDelivery = z.infer<typeof AlertDelivery>;

/** What people were told of: it began, lasted for as long as its rule says, and is over some day. Times are Unix milliseconds. */
export const Notice = z.object({
  id: z.string(),
  /** `namespace/name` of the AlertRule, or one of those that are built in. */
  rule: z.string(),
  builtIn: z.boolean(),
  severity: AlertSeverity,
  subject: AlertSubject,
  measure: AlertMeasure,
  limit: z.number(),
  /** When it was told, the worst since, and the last. */
  value: z.number(),
  worst: z.number(),
  last: z.number(),
  since: z.number(),
  firedAt: z.number(),
  clearedAt: z.number().nullable(),
  end: AlertEnd.nullable(),
  deliveries: z.array(AlertDelivery),
  /** It began while its rule was muted, and no receiver has been told yet. */
  muted: z.boolean().default(false),
});
export type Notice = z.infer<typeof Notice>;

/** `GET /api/alerts`: those that last, the gravest first, and those that are over, the newest first. */
export const Alerts = z.object({
  now: z.number(),
  active: z.array(Notice),
  over: z.array(Notice),
  /** Since when figures can't be read, so that nothing is judged; null: they can. */
  blindSince: z.number().nullable(),
});
export type Alerts = z.infer<typeof Alerts>;

/** A rule as it is written. One that is built in has no version; writing it makes an AlertRule that stands in its place. */
export const AlertRuleItem = z.object({
  namespace: z.string(),
  name: z.string(),
  builtIn: z.boolean(),
  /** It is of the root namespace and names no service: it watches every namespace. */
  meshWide: z.boolean(),
  /** As in an AlertRule. */
  spec: AlertRuleShape,
  resourceVersion: z.string().nullable(),
  /** How many notices of it last. */
  active: z.number(),
});
export type AlertRuleItem = z.infer<typeof AlertRuleItem>;

/** `GET /api/alerts/rules` */
export const AlertRules = z.object({ rules: z.array(AlertRuleItem), rootNamespace: z.string() });
export type AlertRules = z.infer<typeof AlertRules>;

const receiverName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and -");

/** `PUT /api/alerts/receivers/{name}`: whom to tell. `webhook` is told as Alertmanager tells (version 4), `slack` by a text. */
export const ReceiverRequest = z.strictObject({
  name: receiverName,
  kind: z.enum(["webhook", "slack"]),
  url: z.url({ protocol: /^https?$/, error: "must be a URL such as https://hooks.slack.com/services/…" }).max(2000),
  /** Value of the header `Authorization`. */
  authorization: z.string().max(4000).optional(),
});
export type ReceiverRequest = z.infer<typeof ReceiverRequest>;

/** Its URL is a secret and never shown again: a Slack webhook is a key in itself. */
export const Receiver = z.object({
  name: z.string(),
  kind: z.enum(["webhook", "slack"]),
  origin: z.string(),
  /** The last time somebody was told by it; null: never. */
  last: z.object({ at: z.number(), ok: z.boolean(), why: AlertFailure.nullable() }).nullable(),
});
export type Receiver = z.infer<typeof Receiver>;

/** `GET /api/alerts/receivers` */
export const Receivers = z.object({ receivers: z.array(Receiver) });
export type Receivers = z.infer<typeof Receivers>;

/** `POST /api/alerts/receivers/{name}/test` */
export const ReceiverTest = z.object({ ok: z.boolean(), why: AlertFailure.nullable() });
export type ReceiverTest = z.infer<typeof ReceiverTest>;

const number = (value: number, digits = 1): string => String(Number(value.toFixed(digits)));
const moment = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

/** In English, for whoever is told outside of the pages. */
export function noticeText({
  subject,
  measure,
  value,
  limit,
}: Pick<Notice, "subject" | "measure" | "value" | "limit">): string {
  const who = `${subject.namespace}/${subject.name}`;
  switch (measure) {
    case "errors":
    case "health-errors":
      return `${who}: ${number(value, 2)} % of requests fail (limit ${number(limit, 2)} %)`;
    case "health-client-errors":
      return `${who}: ${number(value, 2)} % of requests are answered with 4xx (limit ${number(limit, 2)} %)`;
    case "health-latency":
      return `${who}: p95 is ${number(value)} ms (limit ${number(limit)} ms)`;
    case "rate-above":
      return `${who}: ${number(value)} requests/s (limit ${number(limit)})`;
    case "rate-below":
      return `${who}: only ${number(value)} requests/s (expected ${number(limit)} or more)`;
    case "proxy-disconnected":
      return value === 0 ? `${who}: the proxy was never there` : `${who}: the proxy is gone since ${moment(value)} UTC`;
    case "proxy-refused":
      return `${who}: the proxy refuses its configuration`;
    case "proxy-lagging":
      return `${who}: the proxy has not answered for its configuration`;
    case "certificate":
      return `${who}: the certificate ends at ${moment(value)} UTC`;
    default:
      return `${who}: ${measure.slice("latency-".length)} is ${number(value)} ms (limit ${number(limit)} ms)`;
  }
}
