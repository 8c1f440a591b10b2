import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

/** A checkout with the real launcher, and in place of the build and the bundle what a test writes. */
let root: string;
const write = (path: string, text: string): void => writeFileSync(join(root, path), text);
const read = (path: string): string => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "limpid-launcher-"));
  for (const folder of ["bin", "scripts", "dist/server"]) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(resolve(import.meta.dirname, "../bin/limpid.mjs"), join(root, "bin/limpid.mjs"));
  write("package.json", '{"type": "module"}');
  write("dist/server/limpid.js", 'console.log("runs", ...process.argv.slice(2));');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function launch(...args: string[]) {
  const child = spawn(process.execPath, [join(root, "bin/limpid.mjs"), ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = new Promise<number | null>((done) => child.once("close", done));
  return { child, exited, output: () => output };
}

const marking =
  'import { writeFileSync } from "node:fs"; writeFileSync(new URL("../built", import.meta.url), ["yes", ...process.argv.slice(2)].join(" "));';

test("up builds first; other commands, and a look at its help, take the build that is there", async () => {
  write("scripts/build.ts", marking);
  for (const args of [["status"], ["up", "--help"], ["up", "-h"], ["help", "up"]]) {
    const run = launch(...args);
    expect(await run.exited).toBe(0);
    expect(run.output()).toBe(`runs ${args.join(" ")}\n`);
    expect(read("built")).toBe("");
  }
  const run = launch("up", "--no-demo");
  expect(await run.exited).toBe(0);
  expect(run.output()).toBe("runs up --no-demo\n");
  expect(read("built")).toBe("yes");
});

test("a mesh without a dashboard does not wait for one to be built", async () => {
  write("scripts/build.ts", marking);
  const run = launch("up", "--no-dashboard");
  expect(await run.exited).toBe(0);
  expect(read("built")).toBe("yes --server-only");
});

test("before the first build nothing else builds: help comes from the sources, the rest says what to do", async () => {
  write("scripts/build.ts", marking);
  rmSync(join(root, "dist"), { recursive: true });
  mkdirSync(join(root, "server/cli"), { recursive: true });
  write("server/cli/main.ts", 'console.log("from sources", ...process.argv.slice(2) as string[]);');
  for (const args of [["--help"], ["help", "up"], ["up", "--help"], ["apply", "-h"], ["--version"], []]) {
    const run = launch(...args);
    expect(await run.exited, args.join(" ")).toBe(0);
    expect(run.output()).toBe(`${["from sources", ...args].join(" ")}\n`);
  }
  const run = launch("status");
  expect(await run.exited).toBe(1);
  expect(run.output()).toMatch(/^limpid: not built yet\. "npm run build" builds it/);
  expect(read("built")).toBe("");
});

test("a build that fails is said, and nothing runs", async () => {
  write("scripts/build.ts", "process.exit(3);");
  const run = launch("up");
  expect(await run.exited).toBe(3);
  expect(run.output()).toBe("limpid: the build failed; what it said stands above.\n");
});

test("a signal while it builds ends the compiler, too", async () => {
  const compiler = 'require("node:fs").writeFileSync("compiler", String(process.pid)); setInterval(() => {}, 1000)';
  write(
    "scripts/build.ts",
    `import { spawnSync } from "node:child_process";
     spawnSync(process.execPath, ["-e", ${JSON.stringify(compiler)}], { cwd: ${JSON.stringify(root)}, stdio: "inherit" });`,
  );
  const run = launch("up");
  await expect.poll(() => read("compiler"), { timeout: 10_000 }).not.toBe("");
  const pid = Number(read("compiler"));
  run.child.kill("SIGTERM");
  expect(await run.exited).toBe(1);
  expect(run.output()).toBe("limpid: the build was stopped.\n");
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
