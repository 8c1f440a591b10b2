import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Access, createAccess } from "../../access/access.ts";
import { ensureMachineToken } from "../../access/machine-token.ts";
import type { OidcProvider } from "../../access/oidc.ts";
import type { Grant } from "../../contract/index.ts";
import { systemClock } from "../../lib/clock.ts";
import { silentLogger } from "../../lib/logger.ts";
import { openSqliteAccessStore } from "../../store/access/sqlite-access-store.ts";
import { createApi } from "../api.ts";
import type { ApiRoutes } from "../api-call.ts";
import { createCallers } from "../callers.ts";
import type { Dashboard } from "../dashboard.ts";
import { createDashboardServer } from "../http-server.ts";
import { addOidcRoutes } from "../oidc-api.ts";
import { addPeopleRoutes } from "../people-api.ts";
import { addSignInRoutes } from "../sign-in-api.ts";

export interface Answer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}

/** A dashboard with real sign-in, roles, sessions and audit; the mesh behind it answers every question with its name. */
export interface TestConsole {
  api: ApiRoutes;
  /** What the mesh behind it was asked, in order. */
  asked: { name: string; args: readonly unknown[] }[];
  access: Access;
  port: number;
  machineToken: string;
  ask(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Answer>;
  /** `name=value` of a new session of a user who is made with these grants. */
  sessionOf(name: string, grants: Grant[]): Promise<string>;
  tokenOf(name: string, grants: Grant[]): Promise<string>;
  close(): Promise<void>;
}

/** Every method answers with its name. */
const echoDashboard = (heard: (call: TestConsole["asked"][number]) => void) =>
  new Proxy({} as Dashboard, {
    get:
      (_target, name) =>
      async (...args: unknown[]) => {
        heard({ name: String(name), args });
        return { asked: String(name) };
      },
  });

export async function startConsole(provider?: (url: string) => OidcProvider): Promise<TestConsole> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-console-"));
  const machineToken = ensureMachineToken(folder);
  const migrations = resolve(import.meta.dirname, "../../../prisma/access/migrations");
  const store = await openSqliteAccessStore({ path: join(folder, "access.db"), migrations });
  const access = createAccess({ store, clock: systemClock, logger: silentLogger, machineToken });
  const asked: TestConsole["asked"] = [];
  const api = createApi(echoDashboard((call) => void asked.push(call)));
  let server: Server | undefined;
  // The cookie's name has the port, which is known when it listens.
  const place = { port: 3000, secure: false };
  server = createDashboardServer({
    api,
    callers: createCallers(access, place),
    place,
    addresses: async () => undefined,
    pages: (req, res) => res.end(JSON.stringify({ page: req.url, caller: req.headers["x-limpid-caller"] ?? null })),
    allowedHosts: [],
    onError: () => undefined,
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  addSignInRoutes(api, { access, url, command: "npx limpid console-link" });
  addPeopleRoutes(api, access);
  if (provider) addOidcRoutes(api, { access, provider: provider(url), url });
  const userOf = async (name: string, grants: Grant[]) => {
    if ((await store.user(name)) !== undefined) return;
    await access.users.create(await access.bearer(machineToken, "127.0.0.1"), { name, grants });
  };
  const sessionOf = async (name: string, grants: Grant[]) => {
    await userOf(name, grants);
    const { link } = await access.signIn.makeLink(name);
    return `limpid-session-3000=${(await access.signIn.byLink(link, "127.0.0.1")).secret}`;
  };
  return {
    api,
    asked,
    access,
    port,
    machineToken,
    ask: (method, path, headers = {}, body) => ask(port, method, path, headers, body),
    sessionOf,
    async tokenOf(name, grants) {
      const caller = await access.sessions.callerOf((await sessionOf(name, grants)).split("=")[1] ?? "");
      if (caller === undefined) throw new Error("no session");
      return (await access.tokens.create(caller, { name: "test", grants, ttlSec: 3600 })).token;
    },
    async close() {
      server?.closeAllConnections();
      server?.close();
      await access.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answer> {
  return new Promise((done, reject) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const sent = { ...headers, ...length };
    const call = request({ host: "127.0.0.1", port, method, path, headers: sent, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
