import type { ServerResponse } from "node:http";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually, Fixtures, listenerFrom, listenerJson, staticCluster, toCluster } from "../../test-plane.ts";
import { type Issuer, makeIssuer } from "./testing/issuer.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());
let issuer: Issuer;
beforeAll(async () => {
  issuer = await makeIssuer();
});

const name = "jwt";
const jwt = (config: JsonObject): JsonObject => ({
  name,
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
    ...config,
  },
});
const only = (provider: JsonObject): JsonObject =>
  jwt({ providers: { p: provider }, rules: [{ match: { prefix: "/" }, requires: { provider_name: "p" } }] });
const remote = (more: JsonObject = {}): JsonObject => ({
  remote_jwks: { http_uri: { uri: "http://keys.test/jwks?a=b", cluster: "jwks", timeout: "5s" }, ...more },
});

/** @param answer of the server that publishes keys, by how often it was asked */
async function guarded(
  filter: JsonObject,
  answer: (asked: number) => string | number | undefined = () => issuer.jwks(),
) {
  const asked: string[] = [];
  const bodies: string[] = [];
  const jwks = await fixtures.http((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    const said = answer(asked.length);
    if (typeof said === "number") response.statusCode = said;
    if (said !== undefined) response.end(typeof said === "string" ? said : "");
  });
  const up = await fixtures.http((request, response) => {
    let body = "";
    request.on("data", (bytes) => {
      body += bytes;
    });
    request.on("end", () => {
      bodies.push(body);
      response.end(request.headers["x-claim"] ?? "in");
    });
  });
  const special = await fixtures.http((_, response) => void response.end("special"));
  const clusters = [staticCluster("up", [up]), staticCluster("special", [special]), staticCluster("jwks", [jwks])];
  const byClaim = { match: { prefix: "/", headers: [{ name: "x-claim", string_match: { exact: "vip" } }] } };
  const routes = [{ ...toCluster("special"), ...byClaim }, toCluster("up")];
  const test = await fixtures.plane({ clusters, routes, filters: [filter] });
  const ask = async (token: string | undefined, init: RequestInit = {}) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`http://127.0.0.1:${test.port}/`, { ...init, headers });
    return `${response.status} ${await response.text()}`;
  };
  return { test, ask, asked, bodies };
}

describe("remote keys", () => {
  it("are fetched once for all that wait, and kept", async () => {
    const { test, ask, asked } = await guarded(only(remote()));
    const token = await issuer.sign({});
    expect(await Promise.all([ask(token), ask(token), ask(token)])).toEqual(["200 in", "200 in", "200 in"]);
    expect(await ask(token)).toBe("200 in");
    expect(asked).toEqual(["keys.test/jwks?a=b"]);
    expect(test.counter("http.test.jwt_authn.jwks_fetch_success")).toBe(1);
    expect(test.counter("http.test.jwt_authn.jwt_cache_hit")).toBeGreaterThan(0);
  });

  it.each([
    ["keys that come", 200],
    ["none", 404],
  ])("with async_fetch a listener waits for the first answer: %s", async (_, status) => {
    const held: ServerResponse[] = [];
    const jwks = await fixtures.http((__, response) => void held.push(response));
    const started = (async_fetch: JsonObject) => {
      const up = { listens: false, port: 0 };
      const clusters = [staticCluster("up", [1]), staticCluster("jwks", [jwks])];
      const filters = [only(remote({ async_fetch }))];
      const done = fixtures.plane({ clusters, routes: [toCluster("up")], filters }).then((plane) => {
        up.port = plane.port;
        up.listens = true;
      });
      return { up, done };
    };
    const waiting = started({});
    await eventually(() => held.length === 1);
    const fast = started({ fast_listener: true });
    await fast.done;
    // The one that need not wait listens, while the first has no answer yet.
    expect([waiting.up.listens, fast.up.listens]).toEqual([false, true]);
    for (const response of held) response.writeHead(status).end(issuer.jwks());
    await waiting.done;
    expect((await fetch(`http://127.0.0.1:${waiting.up.port}/`)).status).toBe(401);
  });

  it("are fetched again when they are too old, so that a new key comes into force", async () => {
    const other = await makeIssuer();
    const { ask } = await guarded(only(remote({ cache_duration: "0.001s" })), (times) =>
      times === 1 ? issuer.jwks() : other.jwks(),
    );
    expect(await ask(await issuer.sign({}))).toBe("200 in");
    expect(await ask(await other.sign({}))).toBe("200 in");
    expect(await ask(await issuer.sign({}))).toBe("401 Jwt verification fails");
  });

  it("are asked for again after a failure, as often as it is said", async () => {
    const retry = { retry_policy: { num_retries: 2, retry_back_off: { base_interval: "0.001s" } } };
    const { ask, asked } = await guarded(only(remote(retry)), (times) => (times < 3 ? 503 : issuer.jwks()));
    expect(await ask(await issuer.sign({}))).toBe("200 in");
    expect(asked.length).toBe(3);
  });

  it("that cannot be had let nobody in, until they can", async () => {
    const { test, ask } = await guarded(only(remote()), (times) => [500, 404, "{}"][times - 1] ?? issuer.jwks());
    const token = await issuer.sign({});
    for (let i = 0; i < 3; i++) expect(await ask(token)).toBe("401 Jwks remote fetch is failed");
    expect(await ask(token)).toBe("200 in");
    expect(test.counter("http.test.jwt_authn.jwks_fetch_failed")).toBe(3);
  });

  it("are fetched before anybody asks, and again before they are too old", async () => {
    const { test, asked } = await guarded(only(remote({ async_fetch: {}, cache_duration: "0.02s" })));
    await eventually(() => asked.length >= 3);
    expect(test.counter("http.test.jwt_authn.jwks_fetch_failed")).toBe(0);
  });

  it("stay with a listener that takes another's place", async () => {
    const { test, ask, asked } = await guarded(only(remote()));
    const token = await issuer.sign({});
    await ask(token);
    const routes = [toCluster("up")];
    expect(test.plane.setListener(listenerFrom(listenerJson({ routes, filters: [only(remote())] })))).toEqual([]);
    await ask(token);
    expect(asked.length).toBe(1);
  });
});

describe("a request that waits for its verdict", () => {
  it("keeps its body", async () => {
    const { ask, bodies } = await guarded(only(remote()));
    expect(await ask(await issuer.sign({}), { method: "POST", body: "hello" })).toBe("200 in");
    expect(bodies).toEqual(["hello"]);
  });

  it("is forgotten when its client leaves", async () => {
    const { test, asked, bodies } = await guarded(only(remote()), () => undefined);
    const client = await fixtures.client(test.port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${await issuer.sign({})}\r\n\r\n`);
    await eventually(() => asked.length === 1);
    client.socket.destroy();
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord.responseCodeDetails).toBe("downstream_remote_disconnect");
    expect([bodies, test.gauge("http.test.downstream_rq_active")]).toEqual([[], 0]);
  });
});

describe("claims", () => {
  const local = (): JsonObject => ({ local_jwks: { inline_string: issuer.jwks() } });

  it("choose the route, where that is asked for", async () => {
    const provider = { ...local(), claim_to_headers: [{ header_name: "X-Claim", claim_name: "level" }] };
    const token = await issuer.sign({ level: "vip" });
    expect(await (await guarded(only({ ...provider, clear_route_cache: true }))).ask(token)).toBe("200 special");
    expect(await (await guarded(only(provider))).ask(token)).toBe("200 vip");
  });

  it("don't end a field and begin another", async () => {
    const { ask } = await guarded(
      only({ ...local(), claim_to_headers: [{ header_name: "x-claim", claim_name: "a" }] }),
    );
    expect(await ask(await issuer.sign({ a: "x\r\nx-evil: 1" }))).toBe("200 in");
  });
});

describe("settings that cannot be", () => {
  it("are told all at once, by their paths", async () => {
    const { test } = await guarded(jwt({}));
    const filter = jwt({
      providers: {
        a: { local_jwks: { inline_string: "{}" } },
        b: { remote_jwks: { http_uri: { uri: "keys", cluster: "c", timeout: "1s" } } },
        c: {},
      },
    });
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters: [filter] })))).toEqual([
      expect.stringMatching(/typed_config\.providers\["a"\]\.local_jwks: Jwks does not have \[keys\] field$/),
      expect.stringMatching(/providers\["b"\]\.remote_jwks\.http_uri\.uri: "keys" is no http or https URL$/),
      expect.stringMatching(/providers\["c"\]\.jwks_source_specifier: remote_jwks or local_jwks is required$/),
    ]);
  });

  it.each<[JsonObject, string]>([
    [{ requires: { provider_name: "x" } }, 'rules[0].requires.provider_name: "x" is none of the providers'],
    [
      { requires: { requires_any: { requirements: [{ provider_name: "x" }] } } },
      "rules[0].requires.requires_any.requirements: at least two are required",
    ],
    [{ requirement_name: "x" }, 'rules[0].requirement_name: "x" is not in requirement_map'],
  ])("%j", async (rule, problem) => {
    const { test } = await guarded(jwt({}));
    const filter = jwt({ rules: [{ match: { prefix: "/" }, ...rule }] });
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters: [filter] })))).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it("names what it doesn't do", async () => {
    const { test } = await guarded(jwt({}));
    const filter = jwt({ filter_state_rules: { name: "x" } });
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters: [filter] })))).toEqual([
      expect.stringContaining("typed_config.filter_state_rules: not supported"),
    ]);
  });
});
