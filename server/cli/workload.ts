import { bootstrapCertificate } from "../fleet/certificates.ts";
import { respond, serveHttp } from "../fleet/demo/http-service.ts";
import { runWorkload, workloadHandler } from "../fleet/demo/run-workload.ts";
import { onShutdown } from "./leash.ts";
import { type CommonOptions, dataFolderOf, failWith, portOffsetOf } from "./options.ts";

interface WorkloadCommandOptions extends CommonOptions {
  appVersion: string;
  listen: string;
  proxy?: string;
  sdk?: string;
  grpcListen?: string;
  grpcRatings?: string;
}

export async function runDemoWorkload(name: string, options: WorkloadCommandOptions): Promise<void> {
  try {
    const server = await (options.sdk === undefined ? behindSidecar(name, options) : withoutSidecar(name, options));
    onShutdown(() => server.close());
  } catch (error) {
    failWith(error);
  }
}

function behindSidecar(name: string, options: WorkloadCommandOptions) {
  const listen = parseAddress("--listen", options.listen);
  const proxy = parseAddress("--proxy", options.proxy ?? "");
  return runWorkload({ name, version: options.appVersion, proxy }, listen.host, listen.port, {
    ...(options.grpcListen !== undefined && { grpcListen: parseAddress("--grpc-listen", options.grpcListen) }),
    ...(options.grpcRatings !== undefined && { grpcRatings: options.grpcRatings }),
  });
}

/** A member of the mesh by itself. Beside that it tells the supervisor of its health, and nothing else. */
async function withoutSidecar(name: string, options: WorkloadCommandOptions) {
  const { join } = await import("../sdk/index.ts");
  const at = parseAddress("--sdk", options.sdk ?? "");
  const listen = parseAddress("--listen", options.listen);
  const workload = `${name}-${options.appVersion}`;
  const { chain: certificate, key, root } = bootstrapCertificate(dataFolderOf(options), workload);
  const mesh = await join({
    service: name,
    version: options.appVersion,
    address: at.host,
    ports: [at.port],
    portOffset: portOffsetOf(options),
    credentials: { certificate, key, root },
    logLevel: process.env.LIMPID_LOG_LEVEL || "info",
  });
  const handler = workloadHandler({ name, version: options.appVersion, proxy: at });
  mesh.listen(at.port, (request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://service");
    void respond(handler, request, response, { path: pathname, query: search.slice(1) });
  });
  const health = await serveHttp(() => ({ status: 404, body: { error: "not found" } }), listen.host, listen.port);
  return { close: async () => void (await Promise.all([mesh.close(), health.close()])) };
}

function parseAddress(flag: string, value: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  if (!match?.[1] || port > 65_535)
    throw new Error(`${flag} ${JSON.stringify(value)}: must be host:port, such as 127.0.0.1:9080`);
  return { host: match[1], port };
}
