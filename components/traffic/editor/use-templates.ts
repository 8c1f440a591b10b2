"use client";
import type { ObjectKey } from "../../config/config-queries.ts";
import { editText } from "../../config/document/edit-text.ts";
import { type MeshObject, readObject } from "../../config/document/read-object.ts";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import {
  newDestinationRule,
  newVirtualService,
  type TemplateName,
  type TemplateService,
  templateChange,
} from "./templates.ts";
import { keyText, type Workbench } from "./use-workbench.ts";

/** Puts a template into the drafts: into what is in force where it changes that, else as new objects. Nothing is applied by it. */
export function useTemplates(
  bench: Workbench,
  /** What is shown, and what rules the service inside of the mesh: those go before others of their kind. */
  preferred: readonly (ObjectKey | null | undefined)[],
  service: TemplateService,
  onSelect: (key: ObjectKey) => void,
  /** The service as an object of a namespace writes it. */
  hostIn: (namespace: string) => string,
): (name: TemplateName) => void {
  const present = (kind: string) => {
    const there = bench.objects.filter((one) => one.kind === kind && !one.draft?.removed);
    const wanted = preferred.flatMap((key) => (key ? keyText(key) : []));
    return wanted.flatMap((key) => there.find((one) => keyText(one) === key) ?? [])[0] ?? there[0];
  };
  const change = (kind: string, edits: ((object: MeshObject) => YamlEdit[]) | undefined): ObjectKey | null => {
    if (!edits) return null;
    const known = present(kind);
    const key = known ?? { kind, namespace: service.namespace, name: service.name };
    const text = known?.text ?? (kind === "VirtualService" ? newVirtualService(service) : newDestinationRule(service));
    const read = readObject(text);
    if (!read.ok) return null;
    const done = edits(read.object);
    if (done.length === 0) return null;
    if (known) bench.write(key, editText(text, done));
    else bench.create(key, editText(text, done));
    return key;
  };
  return (name) => {
    const of = (kind: string) =>
      templateChange(name, { ...service, host: hostIn(present(kind)?.namespace ?? service.namespace) });
    const { created = [] } = templateChange(name, service);
    const changed = [
      change("DestinationRule", of("DestinationRule").destinationRule),
      change("VirtualService", of("VirtualService").virtualService),
    ];
    for (const { yaml, ...key } of created) bench.create(key, yaml);
    const shown = changed.findLast((key) => key !== null) ?? created[0];
    if (shown) onSelect(shown);
  };
}
