// `npm run bench [part …]`: what docs/benchmarks.md quotes. Peers run in the same run, on the same core; ratios are what to read.
import { cpus, totalmem } from "node:os";
import { benchDataPath } from "./bench/data-path.ts";
import { benchFootprint } from "./bench/footprint.ts";
import { benchGraph } from "./bench/graph.ts";
import { benchH2spec, benchHttp2 } from "./bench/http2.ts";
import { benchPages } from "./bench/pages.ts";
import { benchPolicies } from "./bench/policies.ts";
import { benchSigning } from "./bench/signing.ts";
import { benchSlider } from "./bench/slider.ts";
import { benchStartUp } from "./bench/start-up.ts";
import { benchTelemetry } from "./bench/telemetry.ts";
import { benchXds } from "./bench/xds.ts";

const parts: Record<string, () => Promise<void>> = {
  "start-up": benchStartUp,
  slider: benchSlider,
  "data-path": benchDataPath,
  http2: benchHttp2,
  h2spec: benchH2spec,
  footprint: benchFootprint,
  graph: benchGraph,
  pages: benchPages,
  xds: benchXds,
  telemetry: benchTelemetry,
  signing: benchSigning,
  policies: benchPolicies,
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) {
  process.stderr.write(`bench: no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}\n`);
  process.exit(1);
}
process.stdout.write(
  `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}\n`,
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
for (const name of chosen.length > 0 ? chosen : Object.keys(parts)) {
  process.stdout.write(`\n## ${name}\n`);
  await parts[name]?.();
}
process.exit(0);
