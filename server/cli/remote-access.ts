import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { authorityFiles } from "../ca/authority-files.ts";
import { consoleCertificate } from "../ca/console-authority.ts";
import type { Clock } from "../lib/clock.ts";
import type { RemoteAccess } from "../telemetry/remote-callers.ts";
import { givenCertificate, isLoopbackAddress, listenAddress } from "./listen.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** A control plane that starts at the same time makes it. */
const patienceMs = 20_000;

/**
 * Where the collector's ports are served to other machines by LIMPID_LISTEN, and whose certificates are asked for: those of the mesh's root in the data folder, or of
 * LIMPID_MESH_ROOT_FILE where the control plane is elsewhere. Undefined: loopback only. Rejects with an Error in a sentence.
 */
export async function remoteAccess(
  data: string,
  env: Env,
  hosts: readonly string[],
  clock: Clock,
): Promise<RemoteAccess | undefined> {
  const address = listenAddress(env);
  if (isLoopbackAddress(address)) return undefined;
  const addresses = addressesOf(address);
  const clientRoots = await rootOf(env.LIMPID_MESH_ROOT_FILE || join(data, "ca", authorityFiles.root));
  const certificate = givenCertificate(env) ?? (await consoleCertificate(data, [...hosts, ...addresses], clock));
  return { addresses, tls: { ...certificate, clientRoots } };
}

/** All of this machine's but loopback for `0.0.0.0` and `::`: loopback's ports are there already, and ask nobody. */
function addressesOf(address: string): string[] {
  if (address !== "0.0.0.0" && address !== "::") return [address];
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const isWanted = ({ internal, family, scopeid }: (typeof all)[number]) =>
    !internal && (family === "IPv4" || (address === "::" && !scopeid));
  return all.filter(isWanted).map((each) => each.address);
}

async function rootOf(path: string): Promise<string> {
  for (const until = Date.now() + patienceMs; Date.now() < until && !existsSync(path); ) await wait(100);
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new Error(
      `LIMPID_LISTEN: the collector asks other machines for a certificate of the mesh, and its root ${path} can't be read; LIMPID_MESH_ROOT_FILE names another one`,
    );
  }
}
