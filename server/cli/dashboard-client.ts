import { Option } from "commander";
import { meshPorts, parsePortOffset } from "../fleet/ports.ts";
import { call } from "./config/client.ts";
import { CliError, type CliIo } from "./config/io.ts";
import { dashboardToken } from "./credentials.ts";

export interface DashboardOption {
  dashboard?: string;
  portOffset?: string;
}

export const dashboardOption = (): Option =>
  new Option(
    "--dashboard <url>",
    "address of the dashboard (default: http://127.0.0.1:3000 moved by the offset)",
  ).conflicts("portOffset");

/** Throws a CliError when the address or the offset makes no sense. */
export function dashboardUrl({ dashboard, portOffset }: DashboardOption, io: Pick<CliIo, "env">): string {
  if (dashboard !== undefined) {
    const url = URL.parse(dashboard);
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new CliError(`error: ${dashboard} is no http address of a dashboard`);
    return url.origin;
  }
  try {
    return `http://127.0.0.1:${meshPorts(parsePortOffset(portOffset ?? io.env.LIMPID_PORT_OFFSET)).dashboard}`;
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : error}`);
  }
}

/** The JSON of its answer; with a `body`, to a POST. Throws a CliError in its words, or when nobody answers. */
export const askDashboard = (options: DashboardOption, io: CliIo, path: string, body?: unknown): Promise<unknown> =>
  tellDashboard(options, io, body === undefined ? "GET" : "POST", path, body);

/** The same by any method. */
export async function tellDashboard(
  options: DashboardOption,
  io: CliIo,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { signal } = io;
  const url = dashboardUrl(options, io);
  const token = await dashboardToken(url, io.env);
  return (
    await call(url, path, {
      who: "dashboard",
      method,
      token,
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    })
  ).json();
}
