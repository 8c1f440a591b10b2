import { z } from "zod";
import { told } from "../../contract/told.ts";
import { duration, uint32 } from "./fields.ts";
import { notYetUse, type Report, rule } from "./schema.ts";

// https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings

const cookieSchema = z.strictObject({
  name: z.string().min(1),
  path: z.string().optional(),
  ttl: duration({ zero: true })
    .optional()
    .describe("How long a cookie lives that the proxy makes; unset: it makes none, 0s: for the session."),
  attributes: rule(
    z.array(z.strictObject({ name: z.string().min(1), value: z.string().optional() })),
    (attributes, report) => {
      const names = attributes.map(({ name }) => name);
      names.forEach((name, index) => {
        if (names.indexOf(name) < index) report([index, "name"], told("twice-named", { name }));
      });
    },
  ).optional(),
});

/** Envoy's largest ring, and largest table. */
const maxRingSize = 8_388_608;
const maxTableSize = 5_000_011;

const ringSize = () => z.int().min(0).max(maxRingSize);

const hashKeys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"] as const;

const consistentHashSchema = rule(
  z.strictObject({
    httpHeaderName: z.string().min(1).optional(),
    httpCookie: cookieSchema.optional(),
    useSourceIp: z.boolean().optional(),
    httpQueryParameterName: z.string().min(1).optional(),
    ringHash: z.strictObject({ minimumRingSize: ringSize().optional().describe("1024 when unset.") }).optional(),
    maglev: z
      .strictObject({ tableSize: z.int().min(1).max(maxTableSize).optional().describe("A prime; 65537 when unset.") })
      .optional(),
    minimumRingSize: ringSize().optional().describe("Deprecated: use ringHash."),
  }),
  (hash, report) => {
    const keys = hashKeys.filter((key) => hash[key] !== undefined);
    if (keys.length === 0) report([], told("needs-one-of", { fields: hashKeys.join(", ") }));
    if (keys.length > 1) report([], told("only-one-has", { fields: hashKeys.join(", "), given: keys.join(", ") }));
    const ways = (["ringHash", "maglev", "minimumRingSize"] as const).filter((key) => hash[key]);
    if (ways.length > 1)
      report([], told("only-one-has", { fields: "ringHash, maglev, minimumRingSize", given: ways.join(", ") }));
    const size = hash.maglev?.tableSize;
    if (size !== undefined && !isPrime(size)) report(["maglev", "tableSize"], told("prime", { value: size }));
  },
);
export type ConsistentHash = z.output<typeof consistentHashSchema>;

function isPrime(number: number): boolean {
  if (number < 4) return number > 1;
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return true;
}

const localityText = z.string().min(1);

const localitySchema = rule(
  z.strictObject({
    distribute: z
      .array(
        rule(
          z.strictObject({ from: localityText, to: z.record(localityText, z.int().min(1).max(100)) }),
          ({ to }, report) => {
            const sum = Object.values(to).reduce((total, weight) => total + weight, 0);
            if (sum !== 100) report(["to"], told("weights-sum", { sum }));
          },
        ),
      )
      .optional()
      .describe("How calls from a locality (region/zone/subzone, or * for any) are shared among localities."),
    failover: z
      .array(
        rule(z.strictObject({ from: localityText, to: localityText }), ({ from, to }, report) => {
          if (from === to) report(["to"], told("other-region", {}));
          for (const [key, region] of Object.entries({ from, to })) {
            if (/[/*]/.test(region)) report([key], told("region-alone", { value: region }));
          }
        }),
      )
      .optional()
      .describe("Which region calls go to when their own has no healthy endpoint; needs outlierDetection."),
    failoverPriority: z
      .array(z.string().min(1))
      .optional()
      .describe(
        "Labels, in order: endpoints that share more of them with the caller go first; needs outlierDetection.",
      ),
    enabled: z.boolean().optional().describe("false: localities count for nothing."),
  }),
  (locality, report) => {
    const set = (["distribute", "failover"] as const).filter((key) => locality[key]?.length);
    if (set.length > 1) report([], told("only-one", { fields: "distribute, failover" }));
    if (set[0] === "distribute" && locality.failoverPriority?.length) {
      report([], told("only-one", { fields: "distribute, failoverPriority" }));
    }
    const froms = (locality.distribute ?? []).map(({ from }) => from);
    froms.forEach((from, index) => {
      if (froms.indexOf(from) < index) report(["distribute", index, "from"], told("twice-named", { name: from }));
    });
  },
);
export type LocalityLbSetting = z.output<typeof localitySchema>;

const warmupSchema = z.strictObject({
  duration: duration().describe("How long a new endpoint takes to get its whole share."),
  minimumPercent: z.number().min(0).max(100).optional().describe("Of its share, at the beginning; 10 when unset."),
  aggression: z.number().gt(0).optional().describe("1 when unset: the share grows evenly."),
});

export const loadBalancerSchema = rule(
  z.strictObject({
    simple: z
      .enum(["UNSPECIFIED", "LEAST_CONN", "LEAST_REQUEST", "PASSTHROUGH", "RANDOM", "ROUND_ROBIN"])
      .optional()
      .describe(
        "LEAST_REQUEST when unset; LEAST_CONN is its old name. PASSTHROUGH: no balancing, a call goes where its host is by DNS, and a TCP connection where it was going.",
      ),
    consistentHash: consistentHashSchema.optional().describe("Equal calls go to one endpoint, as long as it is there."),
    localityLbSetting: localitySchema.optional(),
    zoneAwareLbSetting: notYetUse("localityLbSetting"),
    backendUtilization: notYetUse("simple"),
    warmup: warmupSchema.optional().describe("New endpoints begin slowly; for LEAST_REQUEST and ROUND_ROBIN."),
    warmupDurationSecs: duration().optional().describe("Deprecated: use warmup.duration."),
  }),
  (settings, report: Report) => {
    if (settings.simple !== undefined && settings.simple !== "UNSPECIFIED" && settings.consistentHash !== undefined) {
      report([], told("only-one", { fields: "simple, consistentHash" }));
    }
  },
);
export type LoadBalancerSettings = z.output<typeof loadBalancerSchema>;

export const retryBudgetSchema = z.strictObject({
  percent: z.number().min(0).max(100).optional().describe("Retries in flight, of requests in flight; 20 when unset."),
  minRetryConcurrency: uint32().optional().describe("So many retries are always allowed; 3 when unset."),
});
