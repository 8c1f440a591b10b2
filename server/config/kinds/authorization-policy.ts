import { isIP } from "node:net";
import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { attachment, checkAttachment } from "./policy-target.ts";
import { type Report, rule, text } from "./schema.ts";

/** The policy is only looked at. https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/ */
const dryRunAnnotation = "istio.io/dry-run";

/** As Go's strconv.ParseBool; undefined: it is none. */
function readGoBoolean(value: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(value) ? false : undefined;
}

export const isDryRun = (annotations: Readonly<Record<string, string>> | undefined): boolean =>
  readGoBoolean(annotations?.[dryRunAnnotation] ?? "") === true;

/** `x`, `x*`, `*x` or `*`. */
function wildcardError(value: string): Told | undefined {
  if (value === "") return told("not-empty", {});
  const isAtOneEnd = value.split("*").length <= 2 && !value.slice(1, -1).includes("*");
  return isAtOneEnd ? undefined : told("star-at-end", { value: JSON.stringify(value) });
}
const matchText = text(wildcardError);

const trustDomainText = text((value) =>
  value.includes("/") ? told("trust-domain", { value: JSON.stringify(value) }) : wildcardError(value),
);

/** `x`, `x*`, `*x`, `*`, or a template of whole segments: `{*}` is any one, `{**}` any number of them at the end. */
function pathError(value: string): Told | undefined {
  if (!/[{}]/.test(value)) return wildcardError(value);
  const segments = value.replace(/^\/|\/$/g, "").split("/");
  const any = segments.indexOf("{**}");
  if (!value.startsWith("/")) return told("template-slash", { value: JSON.stringify(value) });
  if (any >= 0 && any < segments.length - 1 && segments.slice(any + 1).some((it) => /[{}]/.test(it))) {
    return told("template-rest", { any: "{**}", value: JSON.stringify(value) });
  }
  const bad = segments.find((segment) => segment !== "{*}" && segment !== "{**}" && !literalSegment.test(segment));
  return bad === undefined ? undefined : told("template-segment", { forms: "{*}, {**}", segment: JSON.stringify(bad) });
}
const pathText = text(pathError);

/** Of the characters of a path's segment (RFC 3986 §3.3, pchar) those that Envoy's templates take. */
const literalSegment = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

const portText = text((value) =>
  /^\d{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535
    ? undefined
    : told("port-text", { value: JSON.stringify(value) }),
);

function ipBlockError(value: string): Told | undefined {
  const [address = "", bits, ...more] = value.split("/");
  const most = isIP(address) === 6 ? 128 : 32;
  const isRight =
    isIP(address) > 0 && more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  return isRight ? undefined : told("ip-or-cidr", { value: JSON.stringify(value) });
}
const ipBlock = text(ipBlockError);

const matches = () => z.array(matchText).optional();

function accountError(value: string): Told | undefined {
  const parts = value.split("/");
  const isRight = parts.length <= 2 && parts.every((part) => part !== "" && !part.includes("*")) && value.length <= 320;
  return isRight ? undefined : told("form", { forms: "<name>, <namespace>/<name>", value: JSON.stringify(value) });
}
const accounts = () => z.array(text(accountError)).max(16).optional();

const sourceSchema = rule(
  z.strictObject({
    principals: matches().describe("Of certificates: <trust domain>/ns/<namespace>/sa/<service account>."),
    notPrincipals: matches(),
    requestPrincipals: matches().describe("Of verified tokens: <issuer>/<subject>."),
    notRequestPrincipals: matches(),
    namespaces: matches().describe("Of certificates."),
    notNamespaces: matches(),
    serviceAccounts: accounts().describe("<namespace>/<name>, or a name of the policy's namespace."),
    notServiceAccounts: accounts(),
    ipBlocks: z.array(ipBlock).optional().describe("The address that the connection comes from."),
    notIpBlocks: z.array(ipBlock).optional(),
    remoteIpBlocks: z.array(ipBlock).optional().describe("The address that x-forwarded-for says."),
    notRemoteIpBlocks: z.array(ipBlock).optional(),
    trustDomains: z.array(trustDomainText).optional().describe("Of certificates."),
    notTrustDomains: z.array(trustDomainText).optional(),
  }),
  (source, report) => {
    notEmpty(source, report);
    const others = ["principals", "notPrincipals", "namespaces", "notNamespaces"] as const;
    for (const key of ["serviceAccounts", "notServiceAccounts"] as const) {
      const beside = others.find((it) => source[it] !== undefined);
      if (source[key] !== undefined && beside !== undefined) report([key], told("not-beside", { other: beside }));
    }
  },
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
  if (fields.length === 0) report([], told("needs-field", {}));
  for (const [key, list] of fields)
    if (Array.isArray(list) && list.length === 0) report([key], told("needs-entry", {}));
}

const keys = [
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.principal",
  "source.serviceAccount",
  "source.trustDomain",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "destination.ip",
  "destination.port",
  "connection.sni",
];
const bracketed = [
  /^request\.headers\[[^\]]+\]$/,
  /^request\.auth\.claims(?:\[[^[\]]+\])+$/,
  /^experimental\.envoy\.filters\.[^[\]]+\[[^\]]+\]$/,
];

function keyError(key: string): Told | undefined {
  if (keys.includes(key) || bracketed.some((form) => form.test(key))) return undefined;
  const forms = "request.headers[<name>], request.auth.claims[<name>], experimental.envoy.filters.<filter>[<key>]";
  return told("one-of-not", { values: [...keys, forms].join(", "), value: JSON.stringify(key) });
}

const valueErrors: Readonly<Record<string, (value: string) => Told | undefined>> = {
  "source.ip": ipBlockError,
  "remote.ip": ipBlockError,
  "source.serviceAccount": accountError,
  "destination.ip": ipBlockError,
  "destination.port": (value) =>
    portText.safeParse(value).success ? undefined : told("port-text", { value: JSON.stringify(value) }),
};

const conditionSchema = rule(
  z.strictObject({ key: text(keyError), values: matches(), notValues: matches() }),
  ({ key, values, notValues }, report) => {
    if (!values?.length && !notValues?.length) report([], told("needs-one-of", { fields: "values, notValues" }));
    for (const [field, list] of Object.entries({ values, notValues })) {
      for (const [index, value] of (list ?? []).entries()) {
        const error = valueErrors[key]?.(value);
        if (error !== undefined) report([field, index], error);
      }
    }
  },
);

const ruleSchema = z.strictObject({
  from: z
    .array(z.strictObject({ source: sourceSchema }))
    .min(1)
    .optional(),
  to: z
    .array(z.strictObject({ operation: operationSchema }))
    .min(1)
    .optional(),
  when: z.array(conditionSchema).min(1).optional(),
});

/** https://istio.io/latest/docs/reference/config/security/authorization-policy/ */
const authorizationPolicySpecSchema = rule(
  z.strictObject({
    ...attachment,
    action: z
      .enum(["ALLOW", "DENY", "AUDIT", "CUSTOM"])
      .optional()
      .describe(
        "ALLOW when unset. CUSTOM and then DENY count first; where there is an ALLOW policy, what none of them allows is refused.",
      ),
    provider: z
      .strictObject({ name: z.string().min(1) })
      .optional()
      .describe("With CUSTOM: which of the MeshConfig's extensionProviders decides."),
    rules: z.array(ruleSchema).optional().describe("One that matches is enough; none: nothing matches."),
  }),
  (spec, report) => {
    const { action, rules, provider } = spec;
    checkAttachment(spec, report);
    if ((action === "DENY" || action === "CUSTOM") && !rules?.length) {
      report(["rules"], told("rules-required", { action, all: "[{}]" }));
    }
    if (action !== "CUSTOM" && provider !== undefined)
      report(["provider"], told("no-effect-without", { what: "action: CUSTOM" }));
    if (action !== "CUSTOM") return;
    if (provider === undefined) report(["provider"], told("required-for", { what: "action: CUSTOM" }));
    for (const [index, it] of (rules ?? []).entries()) checkCustom(it, ["rules", index], report);
  },
);

const ofPeers = /^(?:not)?(?:principals|requestPrincipals|namespaces|serviceAccounts|trustDomains)$/i;
const peerKey = /^(?:source\.(?:namespace|serviceAccount|trustDomain|principal)$|request\.auth\.)/;

/** Who calls is the provider's to find out: as in Istio, the rules that choose what it is asked of don't look at it. */
function checkCustom({ from = [], when = [] }: z.output<typeof ruleSchema>, path: PropertyKey[], report: Report): void {
  for (const [index, { source }] of from.entries()) {
    for (const key of Object.keys(source).filter((it) => ofPeers.test(it))) {
      report([...path, "from", index, "source", key], told("not-with-custom", { key }));
    }
  }
  for (const [index, { key }] of when.entries()) {
    if (peerKey.test(key)) report([...path, "when", index, "key"], told("not-with-custom", { key }));
  }
}
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
  check({ metadata }) {
    const value = metadata.annotations?.[dryRunAnnotation];
    if (value === undefined || readGoBoolean(value) !== undefined) return [];
    const wrong = told("one-of-not", { values: '"true", "false"', value: JSON.stringify(value) });
    return [{ path: `metadata.annotations[${JSON.stringify(dryRunAnnotation)}]`, ...wrong }];
  },
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
