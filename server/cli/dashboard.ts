import { createServer } from "node:http";
import next from "next";
import { meshPorts } from "../fleet/ports.ts";
import { createLogger } from "../lib/logger.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, dataFolderOf, failWith, packageRoot, portOffsetOf } from "./options.ts";
import { warmUp } from "./warm-up.ts";

/** Serves the production build of the dashboard on loopback. */
export async function runDashboard(options: CommonOptions): Promise<void> {
  try {
    const logger = createLogger("dashboard");
    const port = meshPorts(portOffsetOf(options)).dashboard;
    // The pages reach control plane and telemetry through server/next.ts, which reads these.
    process.env.LIMPID_PORT_OFFSET = String(portOffsetOf(options));
    process.env.LIMPID_DATA = dataFolderOf(options);
    const app = next({ dev: false, dir: packageRoot, hostname: "127.0.0.1", port });
    await app.prepare();
    const handle = app.getRequestHandler();
    const server = createServer(
      { requestTimeout: 30_000, maxHeaderSize: 32 * 1024 },
      (req, res) => void handle(req, res),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    logger.info({ port }, "dashboard serves");
    const closing = new AbortController();
    void warmUp(`http://127.0.0.1:${port}`, closing.signal);
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
