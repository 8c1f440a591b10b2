import type { MeshPorts } from "../fleet/ports.ts";
import { isAllowedHost } from "../lib/allowed-host.ts";
import { type ExportSettings, exportPrefix, parseExport } from "../telemetry/export/settings.ts";

/** Where the collector passes telemetry on to. Throws what is wrong with the flag or a variable, and where it would send to itself. */
export function exportSettings(
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  { collectorGrpc, collectorHttp }: Pick<MeshPorts, "collectorGrpc" | "collectorHttp">,
): ExportSettings {
  const settings = parseExport({ ...env, ...(endpoint !== undefined && { [`${exportPrefix}ENDPOINT`]: endpoint }) });
  for (const [signal, { url }] of Object.entries(settings)) {
    if ([collectorGrpc, collectorHttp].includes(Number(url.port)) && isAllowedHost(url.host, [])) {
      throw new Error(`${signal} would be exported from the collector to itself (${url.origin}): name another backend`);
    }
  }
  return settings;
}
