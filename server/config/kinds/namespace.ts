import { z } from "zod";
import { defineKind } from "./define.ts";
import { labelNameError } from "./metadata.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/ */
const namespaceSpecSchema = z.strictObject({
  finalizers: z.array(z.string()).optional().describe("Kept, and without effect."),
});

export const namespace = defineKind({
  kind: "Namespace",
  group: "",
  version: "v1",
  aliases: [],
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  categories: [],
  namespaced: false,
  nameError: labelNameError,
  spec: namespaceSpecSchema,
  defaultSpec: {},
  columns: [{ name: "Status", type: "string", description: "Always Active", priority: 0, value: () => "Active" }],
});

/** Namespaces that the mesh can't do without. */
export const permanentNamespaces = ["default", "istio-system"];
