import { isIP } from "node:net";
import { parsePortOffset } from "../fleet/ports.ts";
import { logLevelOf } from "../lib/logger.ts";
import type { JoinOptions } from "./api.ts";

/** What an application has said, with everything that it left out. */
export type Settings = Required<Omit<JoinOptions, "credentials">> & Pick<JoinOptions, "credentials">;

/** Throws a TypeError that names every option which cannot be, with its value and what would be right. */
export function settingsOf(options: JoinOptions, env: NodeJS.ProcessEnv = process.env): Settings {
  const { service, version = "v1" } = options;
  const errors: string[] = [];
  const offset = () => options.portOffset ?? parsePortOffset(env.LIMPID_PORT_OFFSET);
  const settings: Settings = {
    service,
    version,
    workload: options.workload ?? `${service}-${version}`,
    namespace: options.namespace ?? "default",
    serviceAccount: options.serviceAccount ?? "default",
    labels: options.labels ?? {},
    address: options.address ?? "127.0.0.1",
    ports: options.ports ?? [],
    controlPlane: options.controlPlane ?? (env.LIMPID_CONTROL_PLANE || "127.0.0.1"),
    portOffset: tried(offset, errors) ?? 0,
    credentials: options.credentials,
    propagate: (options.propagate ?? []).map((name) => name.toLowerCase()),
    timeoutMs: options.timeoutMs ?? 30_000,
    drainTimeMs: options.drainTimeMs ?? 10_000,
    logLevel: options.logLevel ?? "warn",
  };
  for (const name of ["service", "workload", "namespace", "serviceAccount"] as const) {
    if (!isName(settings[name]))
      errors.push(wrong(name, settings[name], "lower-case letters, digits and -, 63 at most"));
  }
  for (const [name, value] of Object.entries({ version, ...settings.labels })) {
    if (!/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(value)) {
      errors.push(wrong(name === "version" ? name : `labels.${name}`, value, "a label's value"));
    }
  }
  if (isIP(settings.address) === 0) errors.push(wrong("address", settings.address, "an IP address of this machine"));
  for (const [index, port] of settings.ports.entries()) {
    if (!isWhole(port, 1, 65_535)) errors.push(wrong(`ports[${index}]`, port, "a port"));
  }
  if (new Set(settings.ports).size < settings.ports.length)
    errors.push(wrong("ports", settings.ports, "each port once"));
  if (!isWhole(settings.portOffset, 0, 40_000)) errors.push(wrong("portOffset", settings.portOffset, "0 to 40000"));
  for (const name of ["timeoutMs", "drainTimeMs"] as const) {
    if (!isWhole(settings[name], 0, 2 ** 31 - 1)) errors.push(wrong(name, settings[name], "whole milliseconds"));
  }
  for (const name of settings.propagate) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) errors.push(wrong("propagate", name, "names of header fields"));
  }
  if (tried(() => logLevelOf(settings.logLevel), []) === undefined) {
    errors.push(wrong("logLevel", settings.logLevel, "trace, debug, info, warn, error or silent"));
  }
  if (errors.length > 0) throw new TypeError(`join: ${errors.join("; ")}`);
  return settings;
}

const wrong = (name: string, value: unknown, right: string): string =>
  `${name}: must be ${right}, not ${JSON.stringify(value)}`;

/** RFC 1123's label, which Kubernetes names are. */
const isName = (text: unknown): boolean =>
  typeof text === "string" && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);

const isWhole = (value: unknown, least: number, most: number): boolean =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

function tried<T>(work: () => T, errors: string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    errors.push((error as Error).message);
    return undefined;
  }
}
