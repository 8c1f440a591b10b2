import { expect, it, test } from "vitest";
import { parse } from "yaml";
import { parseObject } from "../../../server/config/kinds/index.ts";
import { editText } from "../../config/document/edit-text.ts";
import { readObject } from "../../config/document/read-object.ts";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import {
  newDestinationRule,
  newVirtualService,
  type TemplateService,
  templateChange,
  templateNames,
} from "./templates.ts";

const service: TemplateService = { name: "shop", namespace: "default", host: "shop", from: "v1", to: "v2", port: 80 };

function edited(yaml: string, edits: ((object: never) => YamlEdit[]) | undefined): string {
  const read = readObject(yaml);
  return read.ok && edits ? editText(yaml, edits(read.object as never)) : yaml;
}

test.each(templateNames)("%s makes objects that the mesh takes, of new ones", (name) => {
  const change = templateChange(name, service);
  const texts = [
    ...(change.virtualService ? [edited(newVirtualService(service), change.virtualService)] : []),
    ...(change.destinationRule ? [edited(newDestinationRule(service), change.destinationRule)] : []),
    ...(change.created ?? []).map(({ yaml }) => yaml),
  ];
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts) expect(parseObject(parse(text)), text).toMatchObject({ ok: true });
});

it("leaves what is there: rules, subsets, and the order of both", () => {
  const known = `${newVirtualService(service).replace("http:\n", "http:\n    - match:\n        - uri:\n            prefix: /a\n      redirect:\n        uri: /b\n")}`;
  const preview = parse(edited(known, templateChange("preview", service).virtualService));
  expect(preview.spec.http.map(({ name, redirect }: Record<string, unknown>) => name ?? redirect)).toEqual([
    "preview-v2",
    { uri: "/b" },
    undefined,
  ]);
  const timeout = parse(edited(known, templateChange("timeout", service).virtualService));
  expect(timeout.spec.http.map((rule: Record<string, unknown>) => rule.timeout)).toEqual([undefined, "2s"]);
  const rule = `${newDestinationRule(service)}  subsets:\n    - name: v2\n      labels: {version: v2, tier: gold}\n`;
  const subsets = parse(edited(rule, templateChange("canary", service).destinationRule)).spec.subsets;
  expect(subsets).toEqual([
    { name: "v2", labels: { version: "v2", tier: "gold" } },
    { name: "v1", labels: { version: "v1" } },
  ]);
});
