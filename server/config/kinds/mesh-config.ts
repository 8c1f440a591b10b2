import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { checkDefaultProviders, defaultProviders, extensionProviders } from "./extension-providers.ts";
import { reportDuplicates } from "./fields.ts";
import { subdomainError } from "./metadata.ts";
import { concurrency, environmentVariables, proxyImage } from "./proxy-config.ts";
import { rule, text } from "./schema.ts";

/** Of SPIFFE ids; capital letters are no part of one. https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain */
const trustDomain = text(subdomainError);

export const pathNormalizations = ["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

/** Of Istio's MeshConfig what proxies are made of here. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig */
const meshConfigFields = z.strictObject({
  accessLogFile: z
    .string()
    .max(4096)
    .optional()
    .describe("Where proxies write their access logs themselves, such as /dev/stdout; empty: nowhere."),
  accessLogFormat: z
    .string()
    .max(65_536)
    .optional()
    .describe("With Envoy's command operators; with accessLogEncoding JSON an object in JSON. Empty: Istio's own."),
  accessLogEncoding: z.enum(["TEXT", "JSON"]).optional(),
  defaultConfig: z
    .strictObject({
      concurrency: concurrency(),
      proxyMetadata: environmentVariables(),
      image: proxyImage(),
      tracing: z
        .strictObject({
          sampling: z
            .number()
            .min(0)
            .max(100)
            .optional()
            .describe(
              "Percent of the requests without a trace that begin one; left out: 10, or 100 where the collector samples.",
            ),
        })
        .optional(),
    })
    .optional(),
  extensionProviders: extensionProviders
    .optional()
    .describe("Whom AuthorizationPolicies with action CUSTOM may ask, and to whom Telemetry has logs and spans sent."),
  defaultProviders: defaultProviders.optional().describe("Whom Telemetry means that names nobody."),
  pathNormalization: z
    .strictObject({
      normalization: z
        .enum(pathNormalizations)
        .optional()
        .describe(
          "What is done to a path before anything looks at it. BASE (DEFAULT): RFC 3986; MERGE_SLASHES: and // is /; DECODE_AND_MERGE_SLASHES: and %2f and %5c are slashes.",
        ),
    })
    .optional(),
  trustDomain: trustDomain
    .optional()
    .describe("What the mesh is called already: LIMPID_TRUST_DOMAIN names it when it starts, and not this."),
  trustDomainAliases: rule(z.array(trustDomain).max(64), (aliases, report) =>
    reportDuplicates(
      aliases,
      (alias) => alias,
      (_alias, index) => report([index], told("twice", {})),
    ),
  )
    .optional()
    .describe(
      "Trust domains of certificates that are as good as the mesh's own: whoever has an id of one is whoever has the same of another, for clients, servers and AuthorizationPolicies.",
    ),
});

const meshConfigSpecSchema = rule(meshConfigFields, (spec, report) => {
  const { accessLogFormat, accessLogEncoding } = spec;
  const isObject = accessLogEncoding !== "JSON" || !accessLogFormat || isJsonObject(accessLogFormat);
  if (!isObject) report(["accessLogFormat"], told("json-format", {}));
  checkDefaultProviders(spec, report);
});

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

export type MeshConfigSpec = z.output<typeof meshConfigSpecSchema>;

export const meshConfig = defineKind({
  kind: "MeshConfig",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "meshconfigs",
  singular: "meshconfig",
  shortNames: ["mc"],
  categories: ["limpid"],
  namespaced: false,
  nameError: (name) => (name === "default" ? undefined : told("mesh-name", {})),
  spec: meshConfigSpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Providers",
      type: "string",
      description: "Whom policies may ask and telemetry goes to",
      priority: 0,
      value: (object) => ((object.spec as MeshConfigSpec).extensionProviders ?? []).map(({ name }) => name).join(","),
    },
  ],
});
