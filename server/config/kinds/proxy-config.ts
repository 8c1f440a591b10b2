import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { nonNegativeInt32 } from "./fields.ts";
import { orNull, rule, text } from "./schema.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

/** As POSIX has it, and no name by which the proxy finds what it is made of. */
const variableName = text((name) => {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/.test(name)) return told("variable-name", { value: JSON.stringify(name) });
  return reserved.test(name) ? told("variable-reserved", { name }) : undefined;
});

/** What decides what program runs, and which mesh it is of, is not for whoever may write config. */
const reserved = /^(?:PATH|LD_.*|DYLD_.*|NODE_.*|LIMPID_.*|HOME|UV_THREADPOOL_SIZE|MALLOC_ARENA_MAX)$/;

/** What ProxyConfig has, and MeshConfig's `defaultConfig` under names of its own. */
export const concurrency = () =>
  orNull(nonNegativeInt32()).describe("Workers of the proxy; 0: as many as there are cores. From its next start on.");
export const environmentVariables = () =>
  rule(z.record(variableName, z.string().max(2_048)), (variables, report) => {
    if (Object.keys(variables).length > 256) report([], told("max-entries", { count: 256 }));
  })
    .optional()
    .describe(
      "Of the proxy's process, from its next start on; ISTIO_META_<NAME> is metadata <NAME> of its node besides.",
    );
export const proxyImage = () =>
  z
    .strictObject({ imageType: z.string().max(128).optional() })
    .optional()
    .describe("Kept for those who have it; proxies here are no images of containers.");

/** https://istio.io/latest/docs/reference/config/networking/proxy-config/ */
const proxyConfigSpecSchema = z.strictObject({
  selector: workloadSelectorSchema
    .optional()
    .describe("Labels of the workloads; unset: all of the namespace, and in the root namespace all of the mesh."),
  concurrency: concurrency(),
  environmentVariables: environmentVariables(),
  image: proxyImage(),
});
export type ProxyConfigSpec = z.output<typeof proxyConfigSpecSchema>;

export const proxyConfig = defineKind({
  kind: "ProxyConfig",
  group: "networking.istio.io",
  version: "v1beta1",
  aliases: [],
  plural: "proxyconfigs",
  singular: "proxyconfig",
  shortNames: [],
  categories: ["istio-io", "networking-istio-io"],
  spec: proxyConfigSpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Concurrency",
      type: "string",
      description: "Workers of the proxies",
      priority: 0,
      value: (object) => String((object.spec as ProxyConfigSpec).concurrency ?? ""),
    },
  ],
});
