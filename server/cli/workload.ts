import { runWorkload } from "../fleet/demo/run-workload.ts";
import { onShutdown } from "./leash.ts";
import { failWith } from "./options.ts";

export async function runDemoWorkload(
  name: string,
  options: { appVersion: string; listen: string; proxy: string; grpcListen?: string; grpcRatings?: string },
): Promise<void> {
  try {
    const listen = parseAddress("--listen", options.listen);
    const proxy = parseAddress("--proxy", options.proxy);
    const context = { name, version: options.appVersion, proxy };
    const server = await runWorkload(context, listen.host, listen.port, {
      ...(options.grpcListen !== undefined && { grpcListen: parseAddress("--grpc-listen", options.grpcListen) }),
      ...(options.grpcRatings !== undefined && { grpcRatings: options.grpcRatings }),
    });
    onShutdown(() => server.close());
  } catch (error) {
    failWith(error);
  }
}

function parseAddress(flag: string, value: string): { host: string; port: number } {
  const match = /^(.+):(\d{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  if (!match?.[1] || port > 65_535)
    throw new Error(`${flag} ${JSON.stringify(value)}: must be host:port, such as 127.0.0.1:9080`);
  return { host: match[1], port };
}
