import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleServer } from "../scripts/bundle.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..");
let project: string;

/** A project that has the package and nothing else: none of what the package itself depends on. */
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "limpid-sdk-project-"));
  const source = join(project, "source");
  await bundleServer(root, join(source, "dist/server"));
  for (const file of ["package.json", "bin"]) await cp(join(root, file), join(source, file), { recursive: true });
  const { stdout } = await run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", project], {
    cwd: source,
  });
  const installed = join(project, "node_modules/limpid");
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(project, stdout.trim()), "-C", installed, "--strip-components", "1"]);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "shop", type: "module" }));
});
afterAll(() => rm(project, { recursive: true, force: true }));

test("a plain project imports it, and an installed package says what is missing", async () => {
  const program = `
    import { join } from "limpid/sdk";
    await join({ service: "shop", portOffset: 39000, timeoutMs: 100 }).catch(({ message }) => console.log(message));
  `;
  await writeFile(join(project, "main.js"), program);
  const { stdout } = await run(process.execPath, ["main.js"], { cwd: project, env: { ...process.env, NODE_PATH: "" } });
  expect(stdout).toBe("the control plane at 127.0.0.1:54010 does not answer within 100 ms\n");
});

test("its types say what it takes", async () => {
  const program = `
    import { join, type Mesh } from "limpid/sdk";
    const mesh: Mesh = await join({ service: "shop", ports: [9080], credentials: { token: "t" } });
    const answer: Response = await mesh.fetch("http://reviews:9080/");
    mesh.listen(9080, (request, response) => void response.end(request.url));
    // @ts-expect-error
    await join({ sevice: "shop" });
    console.log(answer.status);
  `;
  await typeChecks(program);
});

test("what its documentation shows can be written so", async () => {
  const page = await readFile(join(root, "docs/sdk.md"), "utf8");
  const snippets = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);
  expect(snippets.length).toBeGreaterThan(4);
  // Those without an import of the package go on with the `mesh` of the first.
  const joins = (code: string) => code.includes("limpid/sdk");
  const [whole, parts] = [snippets.filter(joins), snippets.filter((code) => !joins(code))];
  await typeChecks([whole[0], ...parts].join("\n"), ...whole.slice(1));
});

/** Each program by itself, against the types that the package brings. */
async function typeChecks(...programs: string[]): Promise<void> {
  const files = programs.map((_, index) => `main-${index}.ts`);
  await Promise.all(programs.map((program, index) => writeFile(join(project, `main-${index}.ts`), program)));
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2023", "--types", "node"];
  const typeRoots = ["--typeRoots", join(root, "node_modules/@types")];
  const tsc = join(root, "node_modules/.bin/tsc");
  await run(tsc, [...options, ...typeRoots, ...files], { cwd: project }).catch(({ stdout }) => {
    throw new Error(stdout);
  });
}
