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
  templatesFor,
  versionsOf,
} from "./templates.ts";

const service: TemplateService = {
  name: "shop",
  namespace: "default",
  host: "shop",
  from: "v1",
  to: "v2",
  port: 80,
  layer: "http",
};

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

it("shares connections by rules of connections, and offers a TCP service nothing that is of requests", () => {
  const tcp: TemplateService = { ...service, layer: "tcp" };
  expect(templatesFor("tcp")).toEqual(["canary", "breaker", "egress"]);
  const made = edited(newVirtualService(tcp), templateChange("canary", tcp).virtualService);
  expect(parseObject(parse(made))).toMatchObject({ ok: true });
  expect(parse(made).spec).toEqual({
    hosts: ["shop"],
    tcp: [
      {
        route: [
          { destination: { host: "shop", subset: "v1" }, weight: 90 },
          { destination: { host: "shop", subset: "v2" }, weight: 10 },
        ],
      },
    ],
  });
});

const rule = (weights: Record<string, number>) => ({
  route: Object.entries(weights).map(([subset, weight]) => ({ destination: { host: "shop", subset }, weight })),
});
const versions = ["v1", "v2", "v3"].map((version) => ({ version, subset: version }));

test.each([
  ["the newest, beside who has most", { v1: 60, v2: 40 }, "v1", "v3"],
  ["another one, where the newest has everything", { v3: 100 }, "v3", "v2"],
])("a canary is %s", (_, weights, from, to) => {
  const limited = { match: [{ uri: { exact: "/a" } }], ...rule({ v2: 100 }) };
  expect(versionsOf({ spec: { http: [limited, rule(weights)] } }, { versions })).toEqual({ from, to });
});

it("begins a canary with the oldest where no rule names versions", () => {
  expect(versionsOf(undefined, { versions })).toEqual({ from: "v1", to: "v3" });
  expect(versionsOf({ spec: {} }, { versions: versions.slice(0, 1) })).toEqual({ from: "v1", to: "v2" });
});
