import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const packages = ["opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp==1.45.2"];
const folder = resolve(import.meta.dirname, "../../../.build/opentelemetry-python");
const python = join(folder, "bin/python");
/** Says that the environment is whole, and of which packages. */
const stamp = join(folder, "packages.txt");

/** A Python with OpenTelemetry's SDK: LIMPID_OTEL_PYTHON, else the one that `npm test` has made; undefined without. */
export function findOpenTelemetryPython(): string | undefined {
  if (process.env.LIMPID_OTEL_PYTHON) return process.env.LIMPID_OTEL_PYTHON;
  return existsSync(stamp) && readFileSync(stamp, "utf8") === packages.join("\n") ? python : undefined;
}

/** Makes a virtual environment with the SDK; undefined where Python, its venv or the packages can't be had. */
export function installOpenTelemetryPython(interpreter = "python3"): string | undefined {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const steps: [string, string[]][] = [
    [interpreter, ["-m", "venv", folder]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", ...packages]],
  ];
  for (const [command, args] of steps) {
    if (spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status !== 0) return undefined;
  }
  writeFileSync(stamp, packages.join("\n"));
  return python;
}
