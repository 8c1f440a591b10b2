import { editText } from "../../config/document/edit-text.ts";
import { type MeshObject, readObject } from "../../config/document/read-object.ts";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import { newDestinationRule, newVirtualService, type TemplateName, templateChange } from "./templates.ts";

/** A template as new objects of an example's names, to be edited. */
export function templateText(name: TemplateName): string {
  const layer = "http" as const;
  const service = { name: "example", namespace: "default", host: "example", from: "v1", to: "v2", port: 80, layer };
  const { virtualService, destinationRule, created = [] } = templateChange(name, service);
  return [
    ...(destinationRule ? [edited(newDestinationRule(service), destinationRule)] : []),
    ...(virtualService ? [edited(newVirtualService(service), virtualService)] : []),
    ...created.map(({ yaml }) => yaml),
  ].join("---\n");
}

function edited(text: string, edits: (object: MeshObject) => YamlEdit[]): string {
  const read = readObject(text);
  return read.ok ? editText(text, edits(read.object)) : text;
}
