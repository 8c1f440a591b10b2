import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { staticCluster, toCluster } from "../../test-plane.ts";
import { BesideEnvoy, envoyMissing } from "../../testing/beside-envoy.ts";
import { decodeSession, encodeSession } from "./session-cookie.ts";

// The same sessions through real Envoy and through our data path: the same host, and the same words to the client.

const both = new BesideEnvoy();
const ports: number[] = [];
let dead = 0;

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
const state = (name: string, kind: string, config: JsonObject, more: JsonObject = {}): JsonObject => ({
  session_state: {
    name: `envoy.http.stateful_session.${name}`,
    typed_config: { "@type": type(`http.stateful_session.${name}.v3.${kind}`), ...config },
  },
  ...more,
});
const session = (config: JsonObject): JsonObject => ({
  name: "envoy.filters.http.stateful_session",
  typed_config: { "@type": type("filters.http.stateful_session.v3.StatefulSession"), ...config },
});
const cookie = (fields: JsonObject, more: JsonObject = {}) =>
  state("cookie", "CookieBasedSessionState", { cookie: { name: "sid", ...fields } }, more);

beforeAll(async () => {
  if (envoyMissing) return;
  for (let i = 0; i < 3; i++) ports.push(await both.fixtures.http((_, response) => void response.end(`host ${i}`)));
  dead = await both.fixtures.tcp((socket) => void socket.destroy());
  const clusters = [staticCluster("up", ports), staticCluster("one", ports.slice(0, 1)), staticCluster("cut", [dead])];
  const retried = { retry_policy: { retry_on: "reset", num_retries: 1 } };
  const listener = (config: JsonObject) => ({
    clusters,
    filters: [session(config)],
    routes: [
      { ...toCluster("one"), match: { prefix: "/one" } },
      { ...toCluster("cut", retried), match: { prefix: "/cut" } },
      {
        ...toCluster("up"),
        match: { prefix: "/off" },
        typed_per_filter_config: {
          "envoy.filters.http.stateful_session": {
            "@type": type("filters.http.stateful_session.v3.StatefulSessionPerRoute"),
            disabled: true,
          },
        },
      },
      toCluster("up"),
    ],
  });
  await both.start(
    {
      plain: listener(cookie({})),
      path: listener(cookie({ path: "/one", ttl: "90s" })),
      strict: listener(cookie({}, { strict: true })),
      header: listener(state("header", "HeaderBasedSessionState", { name: "x-host" })),
      none: listener({}),
    },
    {},
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%",
  );
}, 90_000);

afterAll(() => both.close());

const address = (port: number) => `127.0.0.1:${port}`;
const sid = (value: string) => ({ cookie: `a=b; sid="${value}"` });
const of = (port: number) => sid(encodeSession({ address: address(port), expires: 0 }));
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe.skipIf(envoyMissing)("stateful sessions, like Envoy", () => {
  it.each<[string, string, string, () => Record<string, string>]>([
    ["plain", "a client without a session", "/one", () => ({})],
    ["plain", "its own host", "/", () => of(ports[1] ?? 0)],
    ["plain", "the older form of a cookie", "/", () => sid(base64(address(ports[2] ?? 0)))],
    ["plain", "a host that is not of the cluster", "/one", () => of(ports[1] ?? 0)],
    ["plain", "no address", "/one", () => sid(encodeSession({ address: "", expires: 5 }))],
    ["plain", "no base64", "/one", () => sid("!")],
    ["plain", "a route without sessions", "/off", () => ({})],
    ["path", "a new session with a path and a time", "/one", () => ({})],
    ["path", "under its path", "/one/more", () => of(ports[0] ?? 0)],
    ["path", "beside its path", "/ones", () => ({})],
    ["path", "another path", "/", () => ({})],
    ["strict", "its own host", "/", () => of(ports[1] ?? 0)],
    ["strict", "no other host than its own", "/one", () => of(ports[1] ?? 0)],
    ["strict", "a client without a session", "/one", () => ({})],
    ["header", "a client without a session", "/one", () => ({})],
    ["header", "its own host", "/", () => ({ "x-host": base64(address(ports[2] ?? 0)) })],
    ["header", "a host that is not of the cluster", "/one", () => ({ "x-host": base64(address(ports[2] ?? 0)) })],
    ["header", "what is no address", "/one", () => ({ "x-host": "?" })],
    ["plain", "a host that breaks off", "/cut", () => of(dead)],
    ["none", "a filter without a state", "/one", () => ({})],
  ])("%s: %s", async (name, _, path, headers) => {
    const { mine, theirs } = await both.ask(name, { path, headers: headers() });
    const view = (answer: typeof mine) => ({
      ...answer,
      // Which host a client without one gets is a matter of luck; when a session ends, of the clock.
      body: path === "/off" || path === "/ones" || (path === "/" && name === "path") ? "" : answer.body.toString(),
      headers: answer.headers.map((line) =>
        line.replace(/sid="([^"]*)"/, (_match, value: string) => `sid=${decodeSession(value)?.address}`),
      ),
    });
    expect(view(mine)).toEqual(view(theirs));
  });

  it("writes the very cookie that Envoy writes", async () => {
    const { mine, theirs } = await both.ask("plain", { path: "/one" });
    expect(mine.headers).toEqual(theirs.headers);
  });

  it("a session that Envoy began goes on here, and the other way round", async () => {
    const { mine, theirs } = await both.ask("plain", { path: "/" });
    for (const answer of [mine, theirs]) {
      const given =
        answer.headers
          .find((line) => line.startsWith("set-cookie: "))
          ?.slice(12)
          .split(";", 1)[0] ?? "";
      const again = await both.ask("plain", { path: "/", headers: { cookie: given } });
      expect([again.mine.body, again.theirs.body]).toEqual([answer.body, answer.body]);
    }
  });
});
