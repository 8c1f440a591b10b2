import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { XdsTypeName } from "../contract/index.ts";
import { remember } from "../lib/remember.ts";
import type { ProxyResources } from "../translate/resources.ts";
import { rehearsalBootstrap } from "./envoy-bootstrap.ts";
import type { Rehearse } from "./foretell.ts";

/** Resources that are judged one by one when not all of them are taken together; a run of Envoy is some 50 ms of processor time. */
const mostAlone = 16;
const patienceMs = 5_000;

/** What an Envoy can be asked for by a bootstrap: endpoints, runtime layers and extensions by discovery are not among it. */
const judged = { LDS: "listeners", RDS: "routes", VHDS: "virtualHosts", CDS: "clusters" } as const;

/**
 * What Envoys of this binary's version would refuse, by the binary's own word: `--mode validate` builds everything that a running one
 * builds, and binds, opens and calls nothing. For any other version it does not speak.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-mode
 */
export function envoyRehearsal(binary: string): Rehearse {
  const version = remember(() => versionOf(binary), Number.POSITIVE_INFINITY);
  return async ({ implementation }, resources) => {
    const single = [...alone(resources)];
    if (single.length === 0 || implementation !== `envoy ${await version().catch(() => "")}`) return [];
    if ((await refusal(binary, resources)) === undefined) return [];
    const refused: Awaited<ReturnType<Rehearse>>[number][] = [];
    for (const { type, name, only } of single.slice(0, mostAlone)) {
      const detail = await refusal(binary, only);
      if (detail !== undefined) refused.push({ type, name, detail });
    }
    return refused;
  };
}

/** `envoy  version: 9e55…/1.40.0/Clean/RELEASE/BoringSSL` */
async function versionOf(binary: string): Promise<string> {
  const { stdout } = await promisify(execFile)(binary, ["--version"], { timeout: patienceMs });
  return /version: [^/]*\/([^/]+)\//.exec(stdout)?.[1] ?? "";
}

function* alone(resources: ProxyResources): Generator<{ type: XdsTypeName; name: string; only: ProxyResources }> {
  const none: ProxyResources = {
    listeners: new Map(),
    routes: new Map(),
    virtualHosts: new Map(),
    clusters: new Map(),
    endpoints: new Map(),
    extensionConfigs: new Map(),
    runtimes: new Map(),
  };
  for (const [type, map] of Object.entries(judged) as [keyof typeof judged, (typeof judged)[keyof typeof judged]][])
    for (const [name, message] of resources[map])
      yield { type, name, only: { ...none, [map]: new Map([[name, message]]) } };
}

/** In Envoy's words; undefined: it takes them, or nobody can tell. */
async function refusal(binary: string, resources: ProxyResources): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-rehearsal-"));
  try {
    const path = join(folder, "bootstrap.json");
    await writeFile(path, JSON.stringify(rehearsalBootstrap(resources)), { mode: 0o600 });
    return wordsIn(await run(binary, ["--mode", "validate", "-c", path, "-l", "critical"]), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Files of a proxy's machine may be missing on this one, which is nobody's fault. */
const ofFiles = /unable to read file|file does not exist|no such file|failed to load|invalid path/i;

function wordsIn(output: string, path: string): string | undefined {
  const begins = `error initializing configuration '${path}': `;
  const at = output.indexOf(begins);
  if (at < 0) return undefined;
  const words = output
    .slice(at + begins.length)
    .split(/\n(?:\[|$)/, 1)[0]
    ?.trim();
  return words === undefined || words === "" || ofFiles.test(words) ? undefined : words;
}

/** What it says; nothing when it does not end in time. */
function run(binary: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const envoy = spawn(binary, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: patienceMs,
      killSignal: "SIGKILL",
    });
    let output = "";
    for (const stream of [envoy.stdout, envoy.stderr])
      stream.on("data", (chunk: Buffer) => {
        if (output.length < 64 * 1024) output += chunk.toString("utf8");
      });
    envoy.once("error", () => resolve(""));
    envoy.once("close", (code) => resolve(code === null ? "" : output));
  });
}
