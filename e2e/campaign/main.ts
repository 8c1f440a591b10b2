// `npm run test:long -- faults`: faults done to a real mesh under counted load, a table of what came of them, and a long fuzz.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz } from "../fuzz/fuzz.ts";
import { root } from "../mesh.ts";
import { type CampaignMesh, openMesh } from "./campaign-mesh.ts";
import { type Fault, lasting, passing } from "./faults.ts";
import { table, writeReport } from "./report.ts";
import { type Row, tryFault, trySupervisor } from "./run.ts";

const { values } = parseArgs({
  options: {
    /** Only faults whose part and description contain this. */
    only: { type: "string", default: "" },
    /** Into docs/resilience.md, each row as soon as it is known. */
    write: { type: "boolean", default: false },
    /** Of the fuzzing; 0 for none. */
    "fuzz-minutes": { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
  allowPositionals: true,
});
const wanted = ({ part, what }: Pick<Fault, "part" | "what">): boolean => `${part} ${what}`.includes(values.only);
const say = (line: string): boolean => process.stderr.write(`${line}\n`);
const rows: Row[] = [];

await onOneMesh(passing.filter(wanted));
for (const fault of lasting.filter(wanted)) await onOneMesh([fault]);
if (wanted({ part: "supervisor", what: "killed" })) await withMesh(async (mesh) => add(await trySupervisor(mesh)));
const fuzzProblems = await longFuzz(Number(values["fuzz-minutes"]) * 60_000);

process.stdout.write(`${table(rows)}\n`);
process.exit(fuzzProblems === 0 && rows.every(({ problems }) => problems.length === 0) ? 0 : 1);

/** One after the other. A mesh that did not recover is replaced, so that one failure is not the next one's. */
async function onOneMesh(faults: readonly Fault[]): Promise<void> {
  for (let next = 0; next < faults.length; ) {
    await withMesh(async (mesh) => {
      for (let sound = true; sound && next < faults.length; next++) {
        const fault = faults[next] as Fault;
        say(`${fault.part}: ${fault.what} …`);
        const row = await tryFault(mesh, fault);
        add(row);
        mesh.setClock("+0");
        sound = row.skipped !== undefined || row.recoverySec !== null;
      }
    });
  }
}

function add(row: Row): void {
  rows.push(row);
  if (values.write) writeReport(join(root, "docs/resilience.md"), [row]);
  say(`  failed ${row.failed} of ${row.sent}; ${row.skipped ?? (row.problems.join("; ") || "as intended")}`);
}

async function withMesh(use: (mesh: CampaignMesh) => Promise<void>): Promise<void> {
  const mesh = await openMesh();
  try {
    await use(mesh);
  } finally {
    await mesh.close();
  }
}

async function longFuzz(budgetMs: number): Promise<number> {
  if (budgetMs === 0) return 0;
  let problems = 0;
  await withMesh(async ({ portOffset }) => {
    const seed = Number(values.seed);
    say(`fuzzing with seed ${seed} …`);
    const { findings } = await fuzz({ portOffset, seed, inputsPerTarget: 1_000_000, budgetMs, say });
    for (const finding of findings) say(JSON.stringify(finding));
    problems = findings.length;
  });
  return problems;
}
