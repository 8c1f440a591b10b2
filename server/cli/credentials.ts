import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { readMachineToken } from "../access/machine-token.ts";
import { maxPortOffset, meshPorts } from "../fleet/ports.ts";
import { isAllowedHost } from "../lib/allowed-host.ts";
import { createHttpClient } from "../lib/http-client.ts";
import { CliError } from "./config/io.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What to do when a server does not know who asks. */
export const howToComeIn =
  "make a token on the mesh's machine with `limpid api-token create`, and set LIMPID_TOKEN; on that machine itself set LIMPID_DATA to the mesh's data folder";

/**
 * LIMPID_TOKEN, for whoever it is said to go to. Throws a CliError where it would be readable on its way: RFC 6750 §5.3 wants TLS, and this machine is
 * no network.
 */
export function tokenFromEnv(server: string, env: Env): string | undefined {
  const token = env.LIMPID_TOKEN?.trim();
  if (!token) return undefined;
  if (new URL(server).protocol !== "https:" && !isThisMachine(server))
    throw new CliError(`error: LIMPID_TOKEN is not sent to ${server}, where others could read it: use https`);
  return token;
}

/**
 * By what a command comes in at a dashboard: LIMPID_TOKEN, or on this machine the token of its owner in the mesh's data folder: LIMPID_DATA, where the
 * running supervisor says that it is, or `data` in this folder. Undefined: none is found.
 */
export async function dashboardToken(dashboard: string, env: Env): Promise<string | undefined> {
  const given = tokenFromEnv(dashboard, env);
  if (given !== undefined || !isThisMachine(dashboard)) return given;
  if (env.LIMPID_DATA) return readMachineToken(resolve(env.LIMPID_DATA));
  const offset = Number(new URL(dashboard).port || 80) - meshPorts(0).dashboard;
  if (offset < 0 || offset > maxPortOffset) return undefined;
  const data = (await supervisedData(offset)) ?? (offset === 0 ? "data" : `data-${offset}`);
  return readMachineToken(resolve(data));
}

const isThisMachine = (address: string): boolean => {
  const { hostname, host } = new URL(address);
  return isAllowedHost(isIP(hostname) ? hostname : host, []);
};

/** Where the supervisor of these ports keeps its data; undefined when there is none. */
async function supervisedData(offset: number): Promise<string | undefined> {
  const client = createHttpClient(`http://127.0.0.1:${meshPorts(offset).fleet}`, 2_000);
  try {
    const { status, text } = await client.call("GET", "/v1/status");
    return status === 200 ? z.object({ data: z.string() }).parse(JSON.parse(text)).data : undefined;
  } catch {
    return undefined;
  }
}
