import next from "next";
import { ensureMachineToken } from "../access/machine-token.ts";
import { createApi } from "../dashboard/api.ts";
import { createDashboard } from "../dashboard/dashboard.ts";
import { parseAllowedHosts } from "../dashboard/guard.ts";
import { createDashboardServer } from "../dashboard/http-server.ts";
import { createPageAddresses } from "../dashboard/page-address.ts";
import { shareDashboard } from "../dashboard/shared-dashboard.ts";
import { traceIdOf } from "../dashboard/traces.ts";
import { meshPorts } from "../fleet/ports.ts";
import { createLogger } from "../lib/logger.ts";
import { telemetryDatabase } from "../store/open-telemetry.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";
import { warmUp } from "./warm-up.ts";

/** Serves the dashboard's API and the production build of its pages on loopback. */
export async function runDashboard(options: CommonOptions): Promise<void> {
  try {
    const logger = createLogger("dashboard");
    const portOffset = portOffsetOf(options);
    const { dashboard: port, fleet } = meshPorts(portOffset);
    const data = makeDataFolder(options);
    const token = ensureMachineToken(data);
    const dashboard = createDashboard({
      portOffset,
      data,
      root: packageRoot,
      telemetryDatabase: telemetryDatabase(),
      onError: (error, what) => logger.error({ err: error, what }, "something beside the API's calls failed"),
    });
    shareDashboard(dashboard);
    const app = next({ dev: false, dir: packageRoot, hostname: "127.0.0.1", port });
    await app.prepare();
    const pages = app.getRequestHandler();
    const server = createDashboardServer({
      api: createApi(dashboard),
      addresses: createPageAddresses({
        services: dashboard.registry,
        object: dashboard.object,
        trace: async (id) => dashboard.trace(traceIdOf(id)),
      }),
      pages: (request, response) => void pages(request, response),
      allowedHosts: parseAllowedHosts(process.env.LIMPID_ALLOWED_HOSTS),
      onError: (error, path) => logger.error({ err: error, path }, "an API call failed"),
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    logger.info({ port }, "dashboard serves");
    const closing = new AbortController();
    const { signal } = closing;
    void warmUp({ dashboard: `http://127.0.0.1:${port}`, fleet: `http://127.0.0.1:${fleet}`, token, signal });
    onShutdown(async () => {
      closing.abort();
      server.close();
      server.closeAllConnections();
      await app.close();
    });
  } catch (error) {
    failWith(error);
  }
}
