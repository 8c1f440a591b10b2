import { Option } from "commander";
import { meshPorts, parsePortOffset } from "../../fleet/ports.ts";
import { type FetchOptions, fetchProxyStatuses, type ProxyStatus } from "../../xds/csds-client.ts";
import { CliError, type CliIo } from "../config/io.ts";

export interface XdsOption {
  xds?: string;
  portOffset?: string;
}

export const xdsOption = (): Option =>
  new Option(
    "--xds <host:port>",
    "the control plane's xDS port (default: 127.0.0.1:15010 moved by the offset)",
  ).conflicts("portOffset");

export const outputOption = (): Option =>
  new Option("-o, --output <format>", "form of the output").choices(["table", "json", "yaml"]).default("table");

/** Throws a CliError when nobody answers. */
export async function askProxies(options: XdsOption, io: CliIo, fetch: FetchOptions): Promise<ProxyStatus[]> {
  if (options.xds !== undefined && !/^.+:\d+$/.test(options.xds))
    throw new CliError(`error: --xds ${options.xds}: must be <host>:<port>, such as 127.0.0.1:15010`);
  const target = options.xds ?? `127.0.0.1:${xdsPort(options.portOffset ?? io.env.LIMPID_PORT_OFFSET)}`;
  try {
    return await fetchProxyStatuses(target, fetch);
  } catch (error) {
    const { details = String(error) } = error as { details?: string };
    // grpc-js wraps the system's word in sentences of its own.
    const why = details.includes("ECONNREFUSED") ? "connection refused" : details;
    throw new CliError(`error: no control plane answers at ${target} (${why}); is the mesh running?`);
  }
}

function xdsPort(offset: string | undefined): number {
  try {
    return meshPorts(parsePortOffset(offset)).xds;
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * The one proxy that is meant by `reviews-v1`, `reviews-v1.default` or its node id, `inNamespace` if that is said. Throws a CliError when there is none, or
 * several.
 */
export function findProxy(proxies: readonly ProxyStatus[], wanted: string, inNamespace?: string): ProxyStatus {
  const found = proxies
    .filter(({ namespace }) => inNamespace === undefined || namespace === inNamespace)
    .filter(({ id, name, namespace }) => id === wanted || name === wanted || `${name}.${namespace}` === wanted);
  const [only, ...more] = found;
  const names = (list: readonly ProxyStatus[]) => list.map(({ name, namespace }) => `${name}.${namespace}`).join(", ");
  if (!only) {
    const there = inNamespace === undefined ? "" : ` in namespace ${inNamespace}`;
    throw new CliError(`error: no proxy ${wanted} is connected${there}; there are ${names(proxies) || "none"}`);
  }
  if (more.length > 0) throw new CliError(`error: ${wanted} may be ${found.map(({ id }) => id).join(" or ")}`);
  return only;
}
