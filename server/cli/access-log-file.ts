import type { AccessLogFile } from "../translate/options.ts";

/**
 * What proxies are to write of their requests themselves, by the environment: LIMPID_ACCESS_LOG_FILE, _ENCODING (TEXT, JSON) and _FORMAT, as Istio's mesh
 * config has them. Throws an Error naming the variable.
 */
export function accessLogFileOf(env: Readonly<Record<string, string | undefined>>): AccessLogFile | undefined {
  const { LIMPID_ACCESS_LOG_FILE: path = "", LIMPID_ACCESS_LOG_FORMAT: format = "" } = env;
  const encoding = env.LIMPID_ACCESS_LOG_ENCODING || "TEXT";
  if (path === "") return undefined;
  if (encoding !== "TEXT" && encoding !== "JSON") {
    throw new Error(`LIMPID_ACCESS_LOG_ENCODING: must be TEXT or JSON, not ${JSON.stringify(encoding)}`);
  }
  if (encoding === "JSON" && format !== "" && !isJsonObject(format)) {
    throw new Error("LIMPID_ACCESS_LOG_FORMAT: must be a JSON object with LIMPID_ACCESS_LOG_ENCODING=JSON");
  }
  return { path, encoding, format };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}
