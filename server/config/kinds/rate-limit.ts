import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { duration, port, uint32 } from "./fields.ts";
import { rule } from "./schema.ts";

const localSchema = z.strictObject({
  requests: uint32().describe("That each of its proxies lets in …"),
  per: duration().describe("… in this time."),
  burst: uint32().optional().describe("At once, after a quiet time; default `requests`."),
});

const keySchema = rule(
  z.strictObject({
    header: z.string().min(1).max(200).optional().describe("A request header; requests without it are not counted."),
    remoteAddress: z.strictObject({}).optional().describe("The client's address."),
  }),
  (key, report) => {
    if ((key.header === undefined) === (key.remoteAddress === undefined))
      report([], told("set-either", { fields: "header, remoteAddress" }));
  },
);

const globalSchema = z.strictObject({
  requests: uint32().describe("That all of its proxies together let in …"),
  unit: z.enum(["second", "minute", "hour", "day", "week", "month", "year"]).describe("… in this time."),
  by: z.array(keySchema).max(4).optional().describe("Each value of these has a count of its own."),
});

/** How many requests a service takes, before its own proxies. Proxies learn of it by ECDS, so that a change drains nothing. */
const rateLimitSpecSchema = rule(
  z.strictObject({
    host: z.string().min(1).max(253).describe("Of the service; a short name is of this namespace."),
    port: port().optional().describe("Of the service; unset: every HTTP port of it."),
    local: localSchema.optional(),
    global: globalSchema.optional().describe("Counted by Limpid's rate limit service."),
  }),
  (spec, report) => {
    if (spec.local === undefined && spec.global === undefined)
      report(["local"], told("set-any", { fields: "local, global" }));
  },
);
export type RateLimitSpec = z.output<typeof rateLimitSpecSchema>;

const limitsOf = (object: { spec: unknown }): string => {
  const { local, global } = object.spec as RateLimitSpec;
  return [
    local && `${local.requests} per ${local.per} each`,
    global && `${global.requests} per ${global.unit} together`,
  ]
    .filter(Boolean)
    .join(", ");
};

export const rateLimit = defineKind({
  kind: "RateLimit",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "ratelimits",
  singular: "ratelimit",
  shortNames: ["rl"],
  categories: ["limpid"],
  spec: rateLimitSpecSchema,
  columns: [
    {
      name: "Host",
      type: "string",
      description: "The service that is limited",
      priority: 0,
      value: (object) => (object.spec as RateLimitSpec).host,
    },
    { name: "Limits", type: "string", description: "How many requests it takes", priority: 0, value: limitsOf },
  ],
});
