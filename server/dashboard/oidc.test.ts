import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { Provider } from "oidc-provider";
import { afterEach, describe, expect, it } from "vitest";
import { createOidcProvider } from "../access/oidc.ts";
import { oidcFromEnv } from "../access/oidc-settings.ts";
import { startConsole, type TestConsole } from "./testing/console.ts";

let idp: Server | undefined;
let server: TestConsole | undefined;
afterEach(async () => {
  idp?.closeAllConnections();
  idp?.close();
  await server?.close();
});

const client = { id: "limpid", secret: "a secret of the client, long enough" };
const settings = (issuer: string) => {
  const env = {
    LIMPID_OIDC_ISSUER: issuer,
    LIMPID_OIDC_CLIENT_ID: client.id,
    LIMPID_OIDC_CLIENT_SECRET: client.secret,
    LIMPID_OIDC_NAME: "Example",
    LIMPID_OIDC_ROLES: "mesh-admins=administrator,payments=operator@payments",
  };
  const found = oidcFromEnv(env, () => "");
  if (found === undefined) throw new Error("no settings");
  return found;
};

const people: Record<string, { name: string; groups: string[] }> = {
  ann: { name: "Ann Lake", groups: ["mesh-admins", "payments"] },
  eve: { name: "Eve", groups: ["guests"] },
};

/** oidc-provider, a certified implementation, with its own pages for signing in. */
async function startProvider(redirectUri: string): Promise<string> {
  const server_ = createServer();
  server_.listen(0, "127.0.0.1");
  await once(server_, "listening");
  const issuer = `http://127.0.0.1:${(server_.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] }],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"] },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: async () => ({ sub, preferred_username: sub, ...people[sub] }),
    }),
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["a key for the test"] },
  });
  server_.on("request", provider.callback());
  idp = server_;
  return issuer;
}

/** A browser without scripts: follows redirects and keeps cookies, host by host. */
class Agent {
  readonly #cookies = new Map<string, Map<string, string>>();

  async go(url: string, form?: Record<string, string>): Promise<{ url: string; status: number; body: string }> {
    for (let at = url, body = form, hops = 0; hops < 20; hops++) {
      const { host } = new URL(at);
      const jar = this.#cookies.get(host) ?? new Map<string, string>();
      this.#cookies.set(host, jar);
      const answer = await fetch(at, {
        redirect: "manual",
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(body && { method: "POST", body: new URLSearchParams(body) }),
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "") jar.delete(name);
        else jar.set(name, value);
      }
      const location = answer.headers.get("location");
      if (location === null) return { url: at, status: answer.status, body: await answer.text() };
      at = new URL(location, at).href;
      body = undefined;
    }
    throw new Error("redirected in a circle");
  }

  cookie(host: string, name: string): string | undefined {
    return this.#cookies.get(host)?.get(name);
  }

  copyTo(other: Agent): void {
    for (const [host, jar] of this.#cookies) other.#cookies.set(host, new Map(jar));
  }
}

/** Through the provider's own pages, to wherever they lead in the end. */
async function signInAs(agent: Agent, console_: TestConsole, who: string): Promise<string> {
  const origin = `http://127.0.0.1:${console_.port}`;
  const login = await agent.go(`${origin}/api/sign-in/oidc?next=%2Fproxies%3Fsync%3Dout`);
  const consent = await agent.go(actionOf(login), { prompt: "login", login: who, password: "any" });
  if (consent.url.startsWith(origin)) return consent.url.slice(origin.length);
  const { url } = await agent.go(actionOf(consent), { prompt: "consent" });
  return url.replace(origin, "");
}

const actionOf = ({ url, body }: { url: string; body: string }): string =>
  new URL(/<form[^>]*action="([^"]+)"/.exec(body)?.[1] ?? "no form", url).href;

async function startBoth(): Promise<TestConsole> {
  let issuer = "";
  const started = await startConsole((url) => ({
    name: "Example",
    begin: async (redirectUri) => {
      issuer ||= await startProvider(`${url}/api/sign-in/oidc/callback`);
      return provider().begin(redirectUri);
    },
    end: (callback, attempt) => provider().end(callback, attempt),
  }));
  let made: ReturnType<typeof createOidcProvider> | undefined;
  const provider = () => {
    made ??= createOidcProvider(settings(issuer));
    return made;
  };
  server = started;
  return started;
}

describe("with a real identity provider", () => {
  it("lets people in with the roles of their groups, and leads them back to where they were", async () => {
    const console_ = await startBoth();
    const agent = new Agent();
    expect(await signInAs(agent, console_, "ann")).toBe("/proxies?sync=out");
    const session = agent.cookie(`127.0.0.1:${console_.port}`, "limpid-session-3000") ?? "";
    expect(await console_.access.sessions.callerOf(session)).toMatchObject({
      name: "ann",
      displayName: "Ann Lake",
      way: "oidc",
      grants: [
        { role: "administrator", namespace: "*" },
        { role: "operator", namespace: "payments" },
      ],
    });
    const { entries } = await console_.access.audit({ limit: 1 });
    expect(entries[0]).toMatchObject({ actor: "ann", way: "oidc", result: "done" });
  });

  it("lets nobody in whom no role is meant for", async () => {
    const console_ = await startBoth();
    const agent = new Agent();
    expect(await signInAs(agent, console_, "eve")).toBe("/sign-in?refused=oidc-no-role");
    expect(agent.cookie(`127.0.0.1:${console_.port}`, "limpid-session-3000")).toBeUndefined();
    const { entries } = await console_.access.audit({ limit: 1 });
    expect(entries[0]).toMatchObject({ way: "oidc", target: "eve", result: "refused" });
  });

  it("takes an answer once, and only in the browser that began", async () => {
    const console_ = await startBoth();
    const origin = `http://127.0.0.1:${console_.port}`;
    const victim = new Agent();
    // Another's answer, sent to somebody who began nothing: login CSRF.
    expect((await victim.go(`${origin}/api/sign-in/oidc/callback?code=x&state=y`)).url).toBe(
      `${origin}/sign-in?refused=oidc-failed`,
    );
    await victim.go(`${origin}/api/sign-in/oidc`);
    expect((await victim.go(`${origin}/api/sign-in/oidc/callback?code=x&state=y`)).url).toBe(
      `${origin}/sign-in?refused=oidc-failed`,
    );
    expect(victim.cookie(`127.0.0.1:${console_.port}`, "limpid-session-3000")).toBeUndefined();
    const { entries } = await console_.access.audit({ result: "refused", limit: 10 });
    expect(entries).toHaveLength(2);
  });
});

/** A provider that signs as it is told. */
async function startForger(sign: (claims: object, keys: Forgery) => Promise<string>): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" };
  let nonce = "";
  idp = createServer((request, response) => {
    const url = new URL(request.url ?? "/", issuer);
    const answer = (value: object) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (url.pathname === "/auth") {
      nonce = url.searchParams.get("nonce") ?? "";
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.search = String(new URLSearchParams({ code: "c", state: url.searchParams.get("state") ?? "", iss: issuer }));
      response.writeHead(302, { location: back.href }).end();
    } else if (url.pathname === "/jwks") answer({ keys: [jwk] });
    else if (url.pathname === "/token") {
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: issuer,
        sub: "root",
        aud: client.id,
        nonce,
        iat: now,
        exp: now + 60,
        groups: ["mesh-admins"],
      };
      void sign(claims, { privateKey, jwk }).then((id_token) =>
        answer({ access_token: "a", token_type: "Bearer", expires_in: 60, id_token }),
      );
    } else
      answer({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
      });
  });
  idp.listen(0, "127.0.0.1");
  await once(idp, "listening");
  const issuer = `http://127.0.0.1:${(idp.address() as AddressInfo).port}`;
  return issuer;
}

interface Forgery {
  privateKey: CryptoKey;
  jwk: JWK;
}

const hs256 = (claims: object, key: string) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS256", kid: "1" }).sign(new TextEncoder().encode(key));
const rs256 = (claims: object, key: CryptoKey) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: "RS256", kid: "1" }).sign(key);
const hour = 3_600;

const forgeries: [string, (claims: Record<string, unknown>, keys: Forgery) => Promise<string>][] = [
  ["no signature at all", async (claims) => new UnsecuredJWT(claims).encode()],
  ["HMAC by the client's secret", (claims) => hs256(claims, client.secret)],
  ["HMAC by the public key: algorithm confusion", (claims, { jwk }) => hs256(claims, JSON.stringify(jwk))],
  ["somebody else's key", async (claims) => rs256(claims, (await generateKeyPair("RS256")).privateKey)],
  ["another audience", (claims, { privateKey }) => rs256({ ...claims, aud: "other" }, privateKey)],
  ["another issuer", (claims, { privateKey }) => rs256({ ...claims, iss: "https://evil.example" }, privateKey)],
  ["another sign-in's nonce", (claims, { privateKey }) => rs256({ ...claims, nonce: "x" }, privateKey)],
  ["an end that is past", (claims, { privateKey }) => rs256({ ...claims, exp: Number(claims.exp) - hour }, privateKey)],
  [
    "a signature of something else",
    async (claims, { privateKey }) => {
      const [head, , signature] = (await rs256({ ...claims, sub: "nobody" }, privateKey)).split(".");
      return `${head}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
    },
  ],
];

describe("with a hostile one", () => {
  const enter = async (sign: (typeof forgeries)[number][1]) => {
    const issuer = await startForger(sign as never);
    server = await startConsole(() => createOidcProvider(settings(issuer)));
    return (await new Agent().go(`http://127.0.0.1:${server.port}/api/sign-in/oidc`)).url;
  };

  it("lets in by a good token, so that what follows says something", async () => {
    expect(await enter((claims, { privateKey }) => rs256(claims, privateKey))).toMatch(/:\d+\/$/);
  });

  it.each(forgeries)("lets nobody in by %s", async (_name, sign) => {
    expect(await enter(sign)).toMatch(/\/sign-in\?refused=oidc-failed$/);
    expect(await server?.access.signIn.isNew()).toBe(true);
  });
});

it("reads its settings, and names all that is wrong with them", () => {
  const read = (env: Record<string, string>) => oidcFromEnv(env, () => "from-a-file\n");
  expect(read({})).toBeUndefined();
  expect(() => read({ LIMPID_OIDC_ISSUER: "http://id.example.com", LIMPID_OIDC_ROLES: "a=root" })).toThrow(
    /LIMPID_OIDC_ISSUER.*LIMPID_OIDC_CLIENT_ID.*LIMPID_OIDC_ROLES/,
  );
  const good = { LIMPID_OIDC_ISSUER: "https://id.example.com/realms/x", LIMPID_OIDC_CLIENT_ID: "limpid" };
  expect(() => read(good)).toThrow("LIMPID_OIDC_ROLES must say");
  expect(
    read({
      ...good,
      LIMPID_OIDC_ROLES: "cn=ops,dc=x=operator@shop".replace(",", ";"),
      LIMPID_OIDC_CLIENT_SECRET_FILE: "/run/s",
    }),
  ).toMatchObject({
    name: "id.example.com",
    clientSecret: "from-a-file",
    roles: [{ group: "cn=ops;dc=x", grant: { role: "operator", namespace: "shop" } }],
  });
});
