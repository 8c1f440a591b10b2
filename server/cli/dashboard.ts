import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import next from "next";
import { createAccess } from "../access/access.ts";
import { ensureMachineToken } from "../access/machine-token.ts";
import { oidcFromEnv } from "../access/oidc-settings.ts";
import { createApi } from "../dashboard/api.ts";
import { createCallers } from "../dashboard/callers.ts";
import { createDashboard } from "../dashboard/dashboard.ts";
import { createDashboardServer } from "../dashboard/http-server.ts";
import { addOidcRoutes } from "../dashboard/oidc-api.ts";
import { createPageAddresses } from "../dashboard/page-address.ts";
import { addPeopleRoutes } from "../dashboard/people-api.ts";
import { shareDashboard } from "../dashboard/shared-dashboard.ts";
import { addSignInRoutes, signInWays } from "../dashboard/sign-in-api.ts";
import { traceIdOf } from "../dashboard/traces.ts";
import { meshPorts } from "../fleet/ports.ts";
import { parseAllowedHosts } from "../lib/allowed-host.ts";
import { systemClock } from "../lib/clock.ts";
import type { HttpListenerTls } from "../lib/http-listener.ts";
import { createLogger } from "../lib/logger.ts";
import { openAccessStore } from "../store/open-access-store.ts";
import { telemetryDatabase } from "../store/open-telemetry.ts";
import { linkCommand } from "./console-link.ts";
import { onShutdown } from "./leash.ts";
import { consoleUrl, dashboardListener, isLoopbackAddress, listenAddresses } from "./listen.ts";
import { type CommonOptions, failWith, makeDataFolder, packageRoot, portOffsetOf } from "./options.ts";
import { warmUp } from "./warm-up.ts";

/** Serves the dashboard's API and the production build of its pages on loopback. */
export async function runDashboard(options: CommonOptions): Promise<void> {
  try {
    const logger = createLogger("dashboard");
    const portOffset = portOffsetOf(options);
    const { dashboard: port, dashboardTls, fleet } = meshPorts(portOffset);
    const data = makeDataFolder(options);
    const token = ensureMachineToken(data);
    const url = consoleUrl(process.env, `http://127.0.0.1:${port}`);
    const configDatabase = process.env.LIMPID_CONFIG_DATABASE;
    const dashboard = createDashboard({
      portOffset,
      data,
      root: packageRoot,
      telemetryDatabase: telemetryDatabase(),
      configDatabase,
      url,
      onError: (error, what) => logger.error({ err: error, what }, "something beside the API's calls failed"),
      token,
    });
    const access = createAccess({
      store: await openAccessStore({ data, root: packageRoot, database: configDatabase }),
      clock: systemClock,
      logger,
      machineToken: token,
    });
    const secure = dashboardListener(process.env);
    const settings = oidcFromEnv(process.env, (path) => readFileSync(path, "utf8"));
    const provider = settings && (await import("../access/oidc.ts")).createOidcProvider(settings);
    const signIn = { access, url, oidc: settings?.name, command: linkCommand(portOffset) };
    shareDashboard({ dashboard, signInWays: () => signInWays(signIn), audit: access.audit });
    const app = next({ dev: false, dir: packageRoot, hostname: "127.0.0.1", port });
    await app.prepare();
    const pages = app.getRequestHandler();
    const api = createApi(dashboard);
    addSignInRoutes(api, signIn);
    addPeopleRoutes(api, access);
    if (provider) addOidcRoutes(api, { access, provider, url });
    const hosts = parseAllowedHosts(process.env.LIMPID_ALLOWED_HOSTS);
    const addresses = createPageAddresses({
      services: dashboard.registry,
      object: dashboard.object,
      trace: async (id) => dashboard.trace(traceIdOf(id)),
    });
    const servers: Server[] = [];
    const serve = async (at: { host: string; port: number }, tls?: HttpListenerTls): Promise<void> => {
      const place = { port: at.port, secure: tls !== undefined };
      const server = createDashboardServer({
        api,
        callers: createCallers(access, place),
        place,
        ...(tls && { tls }),
        addresses,
        pages: (request, response) => void pages(request, response),
        allowedHosts: tls ? [...hosts, ...(isLoopbackAddress(at.host) ? [] : [at.host]), new URL(url).hostname] : hosts,
        onError: (error, path) => logger.error({ err: error, path }, "an API call failed"),
      });
      servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(at.port, at.host, resolve);
      });
    };
    await serve({ host: "127.0.0.1", port });
    if (secure) {
      for (const host of listenAddresses(secure.address)) await serve({ host, port: dashboardTls }, secure.certificate);
      logger.info({ address: secure.address, port: dashboardTls }, "dashboard serves over TLS");
    }
    logger.info({ port }, "dashboard serves");
    const closing = new AbortController();
    const { signal } = closing;
    const alerts = dashboard.watchAlerts(signal);
    void warmUp({ dashboard: `http://127.0.0.1:${port}`, fleet: `http://127.0.0.1:${fleet}`, token, signal });
    onShutdown(async () => {
      closing.abort();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await Promise.all([app.close(), alerts]);
      await access.close();
    });
  } catch (error) {
    failWith(error);
  }
}
