import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ProxyList } from "../contract/index.ts";
import type { AdminClient } from "../fleet/admin-client.ts";
import { type TarEntry, tar } from "../lib/tar.ts";

const pack = promisify(gzip);

export interface BundleSources {
  proxies(): Promise<ProxyList>;
  /** A proxy's resources with their contents, as JSON; keys are struck out where they come from (`shownSecret`). */
  config(id: string): Promise<unknown>;
  admin: AdminClient;
  /** What is asked of the mesh as a whole, by the name of its file; each may reject. */
  mesh: Readonly<Record<string, () => Promise<unknown>>>;
  /** The data folder, whose `logs` are looked into. */
  data: string;
  now(): number;
}

/** What a bundle has of each admin interface: nothing of it is a secret. `/config_dump` is not asked, whose keys CSDS strikes out better. */
const adminPages = {
  "stats.txt": "/stats",
  "clusters.txt": "/clusters",
  "listeners.txt": "/listeners",
  "server_info.json": "/server_info",
  "certs.json": "/certs",
  "runtime.json": "/runtime",
} as const;

/** As much of each log as goes in, from its end. */
const logBytes = 256 * 1024;
/** Proxies in one bundle, those in trouble first. */
const mostProxies = 100;

/**
 * All that somebody who helps from afar would ask for, as a .tar.gz: the mesh's config with its history, the fleet, and of each proxy (or of
 * one) what it holds, counts and logs. Without private keys and the contents of Secrets. What can't be had says why in its place.
 */
export async function debugBundle(sources: BundleSources, only?: string): Promise<{ name: string; data: Buffer }> {
  const at = sources.now();
  const stamp = new Date(at).toISOString().slice(0, 19).replaceAll(/[:T]/g, "-");
  const { proxies } = await sources.proxies();
  const chosen = proxies.filter(({ id }) => only === undefined || id === only).slice(0, mostProxies);
  const [mesh, parts, logs] = await Promise.all([
    Promise.all(Object.entries(sources.mesh).map(async ([name, read]) => entry(name, await said(read)))),
    Promise.all(chosen.map((proxy) => proxyEntries(sources, proxy))),
    logEntries(sources.data, only === undefined ? undefined : chosen[0]?.name),
  ]);
  const folder = `limpid-${only === undefined ? "mesh" : (chosen[0]?.name ?? "proxy")}-${stamp}`;
  const manifest = entry("manifest.json", { at: new Date(at).toISOString(), proxies: chosen.map(({ id }) => id) });
  const entries = [manifest, ...mesh, ...parts.flat(), ...logs].map(({ name, data }) => ({
    name: `${folder}/${name}`,
    data,
  }));
  return { name: `${folder}.tar.gz`, data: await pack(tar(entries, at)) };
}

const entry = (name: string, value: unknown): TarEntry => ({
  name,
  data: typeof value === "string" ? value : `${JSON.stringify(value, null, 1)}\n`,
});

const said = (read: () => Promise<unknown>): Promise<unknown> =>
  read().catch((error: unknown) => ({ unavailable: error instanceof Error ? error.message : String(error) }));

async function proxyEntries(
  { config, admin }: BundleSources,
  { id, name, namespace, ...proxy }: ProxyList["proxies"][number],
): Promise<TarEntry[]> {
  // Workloads of one name may have several proxies.
  const folder = `proxies/${namespace}.${name}.${proxy.address}`.replaceAll(/[^\w./-]/g, "_").slice(0, 60);
  const pages = await Promise.all(
    Object.entries(adminPages).map(async ([file, path]) => {
      const answer = await said(async () => (await admin.call(id, "GET", path))?.text);
      return answer === undefined ? [] : [entry(`${folder}/${file}`, answer)];
    }),
  );
  return [
    entry(`${folder}/status.json`, { id, name, namespace, ...proxy }),
    entry(`${folder}/config.json`, proxy.connected ? await said(() => config(id)) : { unavailable: "not connected" }),
    ...pages.flat(),
  ];
}

/** Logs of the parts that this machine's supervisor runs; of one proxy its own. */
async function logEntries(data: string, workload: string | undefined): Promise<TarEntry[]> {
  const folder = join(data, "logs");
  const names = (await readdir(folder).catch(() => [])).filter(
    (name) => name.endsWith(".log") && (workload === undefined || name.startsWith(workload)),
  );
  return Promise.all(
    names.map(async (name) => ({ name: `logs/${name}`.slice(0, 60), data: await endOf(join(folder, name)) })),
  );
}

async function endOf(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const from = Math.max(0, size - logBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch (error) {
    return `can't be read: ${error instanceof Error ? error.message : error}\n`;
  }
}
