import { parse } from "yaml";
import type { MeshExport } from "../contract/index.ts";
import { differsFrom, inOrder } from "./import-plan.ts";
import { type DesignSpec, parseObject } from "./kinds/index.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "./object.ts";
import { readyDesigns } from "./ready-designs.ts";
import { toYaml } from "./to-yaml.ts";

type Exported = MeshExport["objects"];
type Design = Pick<ConfigObject, "spec">;

/** Values of Secrets are nobody's to see, and a canary is a thing that is done: neither is kept with a design, nor missed by one. */
const left: readonly string[] = ["Design", "Secret", "Canary"];
export const isOfDesigns = ({ kind }: Pick<ResourceKey, "kind">): boolean => !left.includes(kind);

/** The design that keeps what is exported. */
export function designOf(name: string, description: string | undefined, exported: Exported): ConfigObject {
  const objects = inOrder(exported.filter(isOfDesigns)).map(({ yaml }) => parse(yaml) as Record<string, unknown>);
  const spec = { ...(description && { description }), objects };
  return { apiVersion: "limpid.dev/v1alpha1", kind: "Design", metadata: { name, namespace: "" }, spec };
}

/** What is in a design, as if it was read from a file. Throws an Error for one that no store has let in. */
export function objectsOf(design: Design): ConfigObject[] {
  return (design.spec as DesignSpec).objects.map((input) => {
    const parsed = parseObject(input);
    if (!parsed.ok) throw new Error(parsed.errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
    return parsed.value;
  });
}

/** The same as an export has it. */
export const exportOf = (design: Design): Exported =>
  objectsOf(design).map((object) => ({ ...keyOf(object), yaml: toYaml(object) }));

/** How many objects of a design a mesh has otherwise, and how many it lacks. */
export function distanceOf(design: Design, inForce: Exported): { differs: number; lacks: number } {
  const known = new Set(inForce.map(formatKey));
  const off = objectsOf(design).filter(differsFrom(inForce));
  const lacks = off.filter((object) => !known.has(formatKey(keyOf(object)))).length;
  return { differs: off.length - lacks, lacks };
}

/** Those that are kept, by name, and after them those that come with Limpid; one that is kept stands in place of a ready one of its name. */
export function catalogueOf(kept: readonly ConfigObject[]): ConfigObject[] {
  const names = new Set(kept.map(({ metadata }) => metadata.name));
  const byName = kept.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return [...byName, ...readyDesigns.filter(({ metadata }) => !names.has(metadata.name))];
}

export const isReady = (design: ConfigObject): boolean => readyDesigns.includes(design);
