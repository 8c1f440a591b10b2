import { isIP } from "node:net";
import { z } from "zod";
import { defineKind } from "./define.ts";
import { notYet, type Report, rule, text } from "./schema.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

const jwt = "requests are not authenticated by JWT yet";

/** `x`, `x*`, `*x` or `*`. */
const matchText = text((value) => {
  if (value === "") return "must not be empty";
  return value.slice(1, -1).includes("*") ? `may have a * at one end only, not ${JSON.stringify(value)}` : undefined;
});

const pathText = text((value) => {
  if (value === "") return "must not be empty";
  if (/[{}]/.test(value)) return "path templates are not supported yet by Limpid";
  return value.slice(1, -1).includes("*") ? `may have a * at one end only, not ${JSON.stringify(value)}` : undefined;
});

const portText = text((value) =>
  /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
    ? undefined
    : `must be a port, not ${JSON.stringify(value)}`,
);

function ipBlockError(value: string): string | undefined {
  const [address = "", bits, ...more] = value.split("/");
  const most = isIP(address) === 6 ? 128 : 32;
  const isRight =
    isIP(address) > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  return isRight ? undefined : `must be an IP address or a range such as 10.0.0.0/8, not ${JSON.stringify(value)}`;
}
const ipBlock = text(ipBlockError);

const matches = () => z.array(matchText).optional();

const sourceSchema = rule(
  z.strictObject({
    principals: matches().describe("Of certificates: <trust domain>/ns/<namespace>/sa/<service account>."),
    notPrincipals: matches(),
    requestPrincipals: notYet(jwt),
    notRequestPrincipals: notYet(jwt),
    namespaces: matches().describe("Of certificates."),
    notNamespaces: matches(),
    serviceAccounts: z
      .array(z.string().min(1))
      .optional()
      .describe("<namespace>/<name>, or a name of the policy's namespace."),
    notServiceAccounts: z.array(z.string().min(1)).optional(),
    ipBlocks: z.array(ipBlock).optional().describe("The address that the connection comes from."),
    notIpBlocks: z.array(ipBlock).optional(),
    remoteIpBlocks: z.array(ipBlock).optional().describe("The address that x-forwarded-for says."),
    notRemoteIpBlocks: z.array(ipBlock).optional(),
    trustDomains: notYet("use principals"),
    notTrustDomains: notYet("use notPrincipals"),
  }),
  notEmpty,
);

const operationSchema = rule(
  z.strictObject({
    hosts: matches(),
    notHosts: matches(),
    ports: z.array(portText).optional(),
    notPorts: z.array(portText).optional(),
    methods: matches(),
    notMethods: matches(),
    paths: z.array(pathText).optional(),
    notPaths: z.array(pathText).optional(),
  }),
  notEmpty,
);

function notEmpty(value: object, report: Report): void {
  const fields = Object.entries(value);
  if (fields.length === 0) report([], "must have at least one field");
  for (const [key, list] of fields)
    if (Array.isArray(list) && list.length === 0) report([key], "needs at least one entry");
}

const keys = [
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.principal",
  "source.serviceAccount",
  "destination.ip",
  "destination.port",
  "connection.sni",
];

function keyError(key: string): string | undefined {
  if (keys.includes(key) || /^request\.headers\[[^\]]+\]$/.test(key)) return undefined;
  if (key.startsWith("request.auth.")) return `not supported yet by Limpid; ${jwt}`;
  return `must be one of ${keys.join(", ")}, request.headers[<name>], not ${JSON.stringify(key)}`;
}

const valueErrors: Readonly<Record<string, (value: string) => string | undefined>> = {
  "source.ip": ipBlockError,
  "remote.ip": ipBlockError,
  "destination.ip": ipBlockError,
  "destination.port": (value) =>
    portText.safeParse(value).success ? undefined : `must be a port, not ${JSON.stringify(value)}`,
};

const conditionSchema = rule(
  z.strictObject({ key: text(keyError), values: matches(), notValues: matches() }),
  ({ key, values, notValues }, report) => {
    if (!values?.length && !notValues?.length) report([], "needs values or notValues");
    for (const [field, list] of Object.entries({ values, notValues })) {
      for (const [index, value] of (list ?? []).entries()) {
        const error = valueErrors[key]?.(value);
        if (error !== undefined) report([field, index], error);
      }
    }
  },
);

/** https://istio.io/latest/docs/reference/config/security/authorization-policy/ */
const authorizationPolicySpecSchema = rule(
  z.strictObject({
    selector: workloadSelectorSchema
      .optional()
      .describe("Labels of the workloads; unset: all of the namespace, and in the root namespace all of the mesh."),
    targetRef: notYet("use selector"),
    targetRefs: notYet("use selector"),
    action: z
      .enum(["ALLOW", "DENY", "AUDIT"], {
        error: ({ input }) => (input === "CUSTOM" ? "CUSTOM is not supported yet by Limpid" : undefined),
      })
      .optional()
      .describe(
        "ALLOW when unset. DENY counts first; where there is an ALLOW policy, what none of them allows is refused.",
      ),
    provider: notYet("it belongs to CUSTOM"),
    rules: z
      .array(
        z.strictObject({
          from: z
            .array(z.strictObject({ source: sourceSchema }))
            .min(1, "needs at least one entry")
            .optional(),
          to: z
            .array(z.strictObject({ operation: operationSchema }))
            .min(1, "needs at least one entry")
            .optional(),
          when: z.array(conditionSchema).min(1, "needs at least one entry").optional(),
        }),
      )
      .optional()
      .describe("One that matches is enough; none: nothing matches."),
  }),
  ({ action, rules }, report) => {
    if (action === "DENY" && !rules?.length) report(["rules"], "is required for DENY: without it nothing is denied");
  },
);
export type AuthorizationPolicySpec = z.output<typeof authorizationPolicySpecSchema>;

export const authorizationPolicy = defineKind({
  kind: "AuthorizationPolicy",
  group: "security.istio.io",
  version: "v1",
  aliases: ["v1beta1"],
  plural: "authorizationpolicies",
  singular: "authorizationpolicy",
  shortNames: ["ap"],
  categories: ["istio-io", "security-istio-io"],
  spec: authorizationPolicySpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Action",
      type: "string",
      description: "What is done with requests that match",
      priority: 0,
      value: (object) => (object.spec as AuthorizationPolicySpec).action ?? "ALLOW",
    },
  ],
});
