import { readFileSync } from "node:fs";

export const exportSignals = ["traces", "metrics", "logs"] as const;
export type ExportSignal = (typeof exportSignals)[number];

/** Where one signal is passed on to. */
export interface ExportTarget {
  /** Of HTTP with its path; of gRPC only host and port count. */
  url: URL;
  protocol: "grpc" | "http/protobuf";
  /** Sent with every request; secret. */
  headers: Readonly<Record<string, string>>;
  gzip: boolean;
  /** For one attempt. */
  timeoutMs: number;
  tls: { ca?: Buffer; cert?: Buffer; key?: Buffer };
}

export type ExportSettings = Partial<Record<ExportSignal, ExportTarget>>;

/** The variables are OpenTelemetry's with another beginning: an application's own settings in the same shell must not make the collector send to itself. */
export const exportPrefix = "LIMPID_EXPORTER_OTLP_";

/**
 * Reads `LIMPID_EXPORTER_OTLP_ENDPOINT`, `_PROTOCOL`, `_HEADERS`, `_HEADERS_FILE`, `_COMPRESSION`, `_TIMEOUT`, `_CERTIFICATE`, `_CLIENT_CERTIFICATE` and
 * `_CLIENT_KEY`, each also for one signal (`…_TRACES_ENDPOINT`). A signal without an endpoint is not passed on. Throws one Error that tells all
 * that is wrong and shows no header's value. https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function parseExport(env: Readonly<Record<string, string | undefined>>): ExportSettings {
  const errors: string[] = [];
  const targets: ExportSettings = {};
  for (const signal of exportSignals) {
    const target = targetOf(signal, env, errors);
    if (target !== undefined) targets[signal] = target;
  }
  if (errors.length > 0) throw new Error([...new Set(errors)].join("; "));
  return targets;
}

type Setting = { name: string; value: string } | undefined;

function targetOf(
  signal: ExportSignal,
  env: Readonly<Record<string, string | undefined>>,
  errors: string[],
): ExportTarget | undefined {
  const read = (name: string): Setting => {
    for (const each of [`${exportPrefix}${signal.toUpperCase()}_${name}`, `${exportPrefix}${name}`]) {
      const value = env[each]?.trim();
      if (value) return { name: each, value };
    }
    return undefined;
  };
  const endpoint = read("ENDPOINT");
  if (endpoint === undefined || endpoint.value === "none") return undefined;
  const protocol = oneOf(read("PROTOCOL"), ["grpc", "http/protobuf"], errors) ?? "grpc";
  const isOfSignal = endpoint.name !== `${exportPrefix}ENDPOINT`;
  const url = urlOf(endpoint, errors);
  if (url === undefined) return undefined;
  // The common endpoint is a base, one signal's is taken as it is.
  if (protocol === "http/protobuf" && !isOfSignal) url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`;
  return {
    url,
    protocol,
    headers: { ...headersOf(fileOf(read("HEADERS_FILE"), errors), errors), ...headersOf(read("HEADERS"), errors) },
    gzip: (oneOf(read("COMPRESSION"), ["gzip", "none"], errors) ?? "gzip") === "gzip",
    timeoutMs: timeoutOf(read("TIMEOUT"), errors),
    tls: tlsOf({ ca: read("CERTIFICATE"), cert: read("CLIENT_CERTIFICATE"), key: read("CLIENT_KEY") }, errors),
  };
}

function oneOf<T extends string>(setting: Setting, values: readonly T[], errors: string[]): T | undefined {
  if (setting === undefined) return undefined;
  const found = values.find((value) => value === setting.value);
  if (found === undefined) errors.push(`${setting.name}=${setting.value}: must be ${values.join(" or ")}`);
  return found;
}

function urlOf({ name, value }: { name: string; value: string }, errors: string[]): URL | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    errors.push(
      `${name}=${url ? value : "…"}: must be a URL such as http://127.0.0.1:4317 or https://otlp.example.com`,
    );
    return undefined;
  }
  if (url.username !== "" || url.password !== "") {
    errors.push(`${name}: must not hold a password; put it into ${exportPrefix}HEADERS_FILE`);
    return undefined;
  }
  return url;
}

/** `authorization=Bearer%20x,x-tenant=a`. https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables */
function headersOf(setting: Setting, errors: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const part of (setting?.value ?? "").split(/[,\n]/)) {
    if (part.trim() === "") continue;
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const value = decoded(part.slice(at + 1).trim());
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || value === undefined || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      errors.push(`${setting?.name}: every header must be name=value, percent-encoded, separated by commas`);
    } else headers[name] = value;
  }
  return headers;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function fileOf(setting: Setting, errors: string[]): Setting {
  const text = bytesOf(setting, errors)?.toString("utf8");
  return text === undefined || setting === undefined ? undefined : { name: setting.name, value: text.trim() };
}

function bytesOf(setting: Setting, errors: string[]): Buffer | undefined {
  if (setting === undefined) return undefined;
  try {
    return readFileSync(setting.value);
  } catch (error) {
    errors.push(`${setting.name}=${setting.value}: can't be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

function timeoutOf(setting: Setting, errors: string[]): number {
  if (setting === undefined) return 10_000;
  const ms = Number(setting.value);
  if (Number.isInteger(ms) && ms >= 1 && ms <= 300_000) return ms;
  errors.push(`${setting.name}=${setting.value}: must be milliseconds from 1 to 300000`);
  return 10_000;
}

function tlsOf(
  files: Record<"ca" | "cert" | "key", Setting>,
  errors: string[],
): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const [ca, cert, key] = [files.ca, files.cert, files.key].map((file) => bytesOf(file, errors));
  if ((files.cert === undefined) !== (files.key === undefined)) {
    errors.push(`${exportPrefix}CLIENT_CERTIFICATE and ${exportPrefix}CLIENT_KEY: must both be given, or neither`);
  }
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
