import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { getThrough, startMesh, type TestMesh } from "../mesh.ts";
import { fuzz } from "./fuzz.ts";

let mesh: TestMesh;
beforeAll(async () => {
  mesh = await startMesh(["--rate", "5"]);
});
afterAll(async () => {
  await mesh?.stop();
});

/** Change it with LIMPID_FUZZ_SEED; the campaign of `npm run test:long -- faults` goes on with others. */
const seed = Number(process.env.LIMPID_FUZZ_SEED ?? 20261128);

test("no listener is ended, silenced or bloated by what is thrown at it", async () => {
  const { findings, delivered } = await fuzz({
    portOffset: mesh.portOffset,
    seed,
    inputsPerTarget: 240,
    budgetMs: 50_000,
  });
  expect(findings).toEqual([]);
  expect(Object.keys(delivered).length).toBe(18);
  expect(Math.min(...Object.values(delivered))).toBeGreaterThan(0);
  // The supervisor survives what it did not foresee, and says so: here there must be nothing to say.
  expect(mesh.output()).not.toContain("! supervisor:");
  const logs = join(mesh.data, "logs");
  const unforeseen = readdirSync(logs).flatMap((file) =>
    readFileSync(join(logs, file), "utf8")
      .split("\n")
      .filter((line) => /unhandled|uncaught|^Node\.js v|"level":[56]0/i.test(line))
      .map((line) => `${file}: ${line.slice(0, 500)}`),
  );
  expect(unforeseen).toEqual([]);
  expect((await getThrough(mesh.gateway, "/productpage")).status).toBe(200);
});
