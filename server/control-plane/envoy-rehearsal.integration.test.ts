import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { buildMesh } from "../model/mesh.ts";
import { loadCase } from "../translate/testing/cases.ts";
import { envoyBinary } from "../translate/testing/envoy.ts";
import { translate } from "../translate/translate.ts";
import { envoyRehearsal } from "./envoy-rehearsal.ts";

const binary = envoyBinary() ?? "";
if (binary === "" && process.env.CI) throw new Error("no Envoy: set LIMPID_ENVOY");
const folder = resolve(import.meta.dirname, "../translate/testdata");
const names = readdirSync(folder).flatMap((file) => (file.endsWith(".in.yaml") ? [file.slice(0, -8)] : []));
const kind = { bundled: false, implementation: "envoy 1.40.0" };

const resourcesOf = (name: string, delta: boolean) => {
  const { proxy, objects } = loadCase(join(folder, `${name}.in.yaml`));
  return translate(buildMesh(objects, 1), { ...proxy, delta });
};

/** Nobody matches by this: RE2 finds no end of the group. */
const broken = create(VirtualHostSchema, {
  name: "broken",
  domains: ["broken.test"],
  routes: [
    {
      match: { pathSpecifier: { case: "safeRegex", value: { regex: "a(" } } },
      action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: "nobody" } } },
    },
  ],
});

describe.skipIf(binary === "")("an Envoy's own binary (skipped without LIMPID_ENVOY)", () => {
  it.each(names)("has nothing against %s", async (name) => {
    const rehearse = envoyRehearsal(binary);
    for (const delta of [true, false]) expect(await rehearse(kind, resourcesOf(name, delta))).toEqual([]);
  });

  it("names what it would refuse in its own words, and nothing that is sent with it", async () => {
    const resources = resourcesOf("bookinfo-sidecar", true);
    expect(resources.virtualHosts.size).toBeGreaterThan(1);
    const virtualHosts = new Map([...resources.virtualHosts, ["9080/broken", broken]]);
    expect(await envoyRehearsal(binary)(kind, { ...resources, virtualHosts })).toEqual([
      { type: "VHDS", name: "9080/broken", detail: expect.stringContaining("missing ): a(") },
    ]);
  });

  it("says nothing of another version", async () => {
    const resources = { ...resourcesOf("bookinfo-sidecar", true), virtualHosts: new Map([["9080/broken", broken]]) };
    expect(await envoyRehearsal(binary)({ bundled: false, implementation: "envoy 1.39.0" }, resources)).toEqual([]);
  });
});
