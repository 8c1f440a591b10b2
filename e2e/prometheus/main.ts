// `npm run test:long -- prometheus --dashboards <folder>`: a real Prometheus scrapes a mesh by what `limpid prometheus-config` prints, and every
// expression of Istio's published dashboards is asked. The folder is `manifests/addons/dashboards` of Istio's sources.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { installPackage } from "../../scripts/debian.ts";
import { limpid, root, startMesh, type TestMesh } from "../mesh.ts";
import { apply, startDatabase } from "./database.ts";
import { evaluate } from "./evaluate.ts";
import { readExpressions, readOwnExpressions } from "./expressions.ts";
import { unevenTraffic, weights } from "./manifests.ts";
import { type Prometheus, startPrometheus } from "./prometheus.ts";
import { byDashboard, unanswered, writePage } from "./report.ts";

/** Of 209; docs/prometheus.md says what the others ask for, and why nobody here has it. */
const atLeast = 180;

const { values } = parseArgs({
  options: {
    dashboards: { type: "string" },
    /** Of traffic before anything is asked. */
    seconds: { type: "string", default: "150" },
    /** Into docs/prometheus.md. */
    write: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
if (values.dashboards === undefined) {
  process.stderr.write(
    "--dashboards <folder>: Istio's manifests/addons/dashboards is needed, from its sources or a release\n",
  );
  process.exit(1);
}
if (spawnSync("prometheus", ["--version"], { stdio: "ignore" }).error) installPackage("prometheus");

const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const expressions = readExpressions(values.dashboards);
const mesh = await startMesh(["--rate", "20", "--demo-grpc", "--no-dashboard"]);
let prometheus: Prometheus | undefined;
let database: { stop(): void } | undefined;
try {
  database = await startDatabase(mesh);
  await apply(mesh, unevenTraffic);
  const { out } = await limpid(["prometheus-config", "--port-offset", String(mesh.portOffset)]);
  prometheus = await startPrometheus(out);
  await traffic(mesh, Number(values.seconds));
  const down = (await prometheus.targets()).filter(({ health }) => health !== "up");
  for (const { job, url, error } of down) say(`down: ${job} ${url}: ${error}`);
  // Ours first: some of them are about changes, which end with the traffic.
  const own = await evaluate(prometheus, readOwnExpressions(join(root, "docs/grafana")));
  const silent = own.filter((answer) => !answer.answered);
  say(`our own dashboards: ${own.length - silent.length} of ${own.length} answer`);
  if (silent.length > 0) say(unanswered(silent));
  const answers = await evaluate(prometheus, expressions);
  process.stdout.write(`${byDashboard(answers)}\n\n${unanswered(answers)}\n`);
  if (values.write) writePage(join(root, "docs/prometheus.md"), answers);
  const answered = answers.filter((answer) => answer.answered).length;
  process.exitCode = answered >= atLeast && down.length + silent.length === 0 ? 0 : 1;
} finally {
  prometheus?.stop();
  database?.stop();
  await mesh.stop();
}

/** Changes go on meanwhile: some of the control plane's numbers are about pushes. */
async function traffic(of: TestMesh, seconds: number): Promise<void> {
  say(`${seconds} s of traffic …`);
  for (let second = 0; second < seconds; second += 10) {
    await apply(of, weights(second % 20 === 0 ? 80 : 60));
    await wait(10_000);
  }
}
