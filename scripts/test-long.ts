// `npm run test:long -- faults`: what takes too long for `npm test`. Builds, and runs the campaign that is named.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

process.chdir(resolve(import.meta.dirname, ".."));
const campaigns: Record<string, string> = {
  faults: "e2e/campaign/main.ts",
  chaos: "e2e/chaos/main.ts",
  prometheus: "e2e/prometheus/main.ts",
};
const [name = "", ...args] = process.argv.slice(2);
const script = campaigns[name];
if (script === undefined) {
  process.stderr.write(`npm run test:long -- <campaign>: there is ${Object.keys(campaigns).join(", ")}\n`);
  process.exit(1);
}
for (const command of [["scripts/build.ts"], [script, ...args]]) {
  const { status } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
