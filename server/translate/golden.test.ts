import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { buildMesh } from "../model/mesh.ts";
import { loadCase, resourcesToJson } from "./testing/cases.ts";
import { translate } from "./translate.ts";

const folder = join(import.meta.dirname, "testdata");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

/** `UPDATE_GOLDEN=1` writes what comes out; the difference is then for a person to judge. */
describe("translation", () => {
  it.each(names)("%s", (name) => {
    const { proxy, show, objects } = loadCase(join(folder, `${name}.in.yaml`));
    const json = resourcesToJson(translate(buildMesh(objects, 1), proxy));
    const actual = stringify(Object.fromEntries(show.map((type) => [type, json[type]])), {
      lineWidth: 0,
      aliasDuplicateObjects: false,
    });
    const path = join(folder, `${name}.out.yaml`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, actual);
    expect(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1`).toBe(true);
    expect(parse(actual)).toEqual(parse(readFileSync(path, "utf8")));
  });
});
