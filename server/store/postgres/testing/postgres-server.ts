import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Client } from "pg";

/** The folder with `initdb` and `postgres`: on the PATH, or where Debian keeps them. Undefined: none. */
export function findPostgres(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = (() => {
    try {
      return readdirSync(debian).map((version) => join(debian, version, "bin"));
    } catch {
      return [];
    }
  })();
  return [...(process.env.PATH ?? "").split(delimiter), ...versions].find((folder) =>
    ["initdb", "postgres"].every((name) => isExecutable(join(folder, name))),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface PostgresServer {
  /** Makes an empty database and gives its address. */
  database(name: string): Promise<string>;
  query(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** As when the machine's power goes: connections are cut. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A server of its own on a free port, with its data in a temporary folder. */
export async function startPostgres(found: string): Promise<PostgresServer> {
  const binaries = realpathSync(join(found, "postgres")).replace(/\/postgres$/, "");
  const folder = mkdtempSync(join(tmpdir(), "limpid-postgres-"));
  const user = postgresUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder, stdio: "ignore" as const };
  execFileSync(
    join(binaries, "initdb"),
    ["-D", data, "-U", "limpid", "-A", "trust", "-E", "UTF8", "--no-sync"],
    options,
  );
  const port = await freePort();
  const serve = async (): Promise<ChildProcess> => {
    const args = ["-D", data, "-p", String(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"];
    const child = spawn(join(binaries, "postgres"), args, options);
    for (;;) {
      if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`);
      const client = new Client({ connectionString: address("postgres") });
      client.on("error", () => undefined);
      const isUp = await client.connect().then(
        () => true,
        () => false,
      );
      await client.end().catch(() => undefined);
      if (isUp) return child;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const address = (name: string) => `postgres://limpid@127.0.0.1:${port}/${name}`;
  let child = await serve();
  const end = () =>
    new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.kill("SIGQUIT");
    });
  const query = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  return {
    async database(name) {
      await query(address("postgres"), `CREATE DATABASE "${name}"`);
      return address(name);
    },
    query,
    async restart() {
      await end();
      child = await serve();
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root. */
function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
