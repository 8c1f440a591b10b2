import { z } from "zod";
import { told } from "../../contract/told.ts";
import type { FieldError, Result } from "../../lib/result.ts";
import { type ConfigObject, formatKey, keyOf } from "../object.ts";
import { defineKind } from "./define.ts";

const maxObjects = 5000;

const designSpecSchema = z.strictObject({
  description: z.string().max(1000).optional().describe("What it is for, in a sentence or two."),
  objects: z
    .array(z.record(z.string(), z.unknown()).describe("An object of any kind, as it is written to the mesh."))
    .max(maxObjects)
    .describe(
      "What the mesh has where the design is in force. A Secret is in none: its values are sealed where it is.",
    ),
});
export type DesignSpec = z.output<typeof designSpecSchema>;

/** Designs in designs would have no end; of Secrets nobody may see the values, and a design shows all that it has. */
const isKept = (kind: unknown): boolean => kind !== "Design" && kind !== "Secret";

/**
 * A configuration that is kept under a name, and is not in force: to be compared, and to be applied as one change. What is in it is read by
 * `parse`, as if it was written. See docs/decisions/0059o-designs-are-kept-beside-the-mesh.md.
 */
export const designKind = (parse: (input: unknown) => Result<ConfigObject, FieldError>) =>
  defineKind({
    kind: "Design",
    group: "limpid.dev",
    version: "v1alpha1",
    aliases: [],
    plural: "designs",
    singular: "design",
    shortNames: [],
    categories: ["limpid"],
    namespaced: false,
    aside: true,
    spec: designSpecSchema,
    check: ({ spec }) => checkObjects(spec, parse),
    columns: [
      {
        name: "Objects",
        type: "integer",
        description: "How many are in it",
        priority: 0,
        value: ({ spec }) => (spec as DesignSpec).objects.length,
      },
      {
        name: "Description",
        type: "string",
        description: "What it is for",
        priority: 0,
        value: ({ spec }) => (spec as DesignSpec).description ?? "",
      },
    ],
  });

function checkObjects({ objects }: DesignSpec, parse: (input: unknown) => Result<ConfigObject, FieldError>) {
  const seen = new Set<string>();
  return objects.flatMap((input, index): FieldError[] => {
    const root = `spec.objects[${index}]`;
    if (!isKept(input.kind))
      return [{ path: `${root}.kind`, ...told("no-part-of-design", { kind: String(input.kind) }) }];
    const parsed = parse(input);
    if (!parsed.ok)
      return parsed.errors.map((error) => ({ ...error, path: error.path ? `${root}.${error.path}` : root }));
    const key = formatKey(keyOf(parsed.value));
    if (seen.has(key)) return [{ path: root, ...told("twice-named", { name: key }) }];
    seen.add(key);
    return [];
  });
}
