import { DashboardError, TelemetryHealth, told } from "../contract/index.ts";
import { createHttpClient } from "../lib/http-client.ts";

/** Asks the collector of this machine how it is. 503 is an answer too: it says why nothing can be written. */
export function createCollectorClient(port: number, timeoutMs = 2000): () => Promise<TelemetryHealth> {
  const client = createHttpClient(`http://127.0.0.1:${port}`, timeoutMs);
  return async () => {
    try {
      const { text } = await client.call("GET", "/healthz");
      return TelemetryHealth.parse(JSON.parse(text));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DashboardError({ code: "TELEMETRY_UNREACHABLE", ...told("collector-silent", { why: reason }) });
    }
  };
}
