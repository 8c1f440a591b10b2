import type { IncomingMessage, ServerResponse } from "node:http";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { ResponseFlag } from "../../record.ts";
import { eventually, Fixtures, listenerFrom, listenerJson, staticCluster, toCluster } from "../../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const type = (name: string) => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const service = (more: JsonObject = {}): JsonObject => ({
  http_service: { server_uri: { uri: "http://authz.test", cluster: "authz", timeout: "5s" }, ...more },
});
const authz = (config: JsonObject): JsonObject => ({
  name: "authz",
  typed_config: { "@type": type("ext_authz.v3.ExtAuthz"), ...service(), ...config },
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function guarded(config: JsonObject, handler: Handler, before: JsonObject[] = []) {
  const asked: IncomingMessage[] = [];
  const port = await fixtures.http((request, response) => {
    asked.push(request);
    handler(request, response);
  });
  const bodies: number[] = [];
  const up = await fixtures.http((request, response) => {
    let bytes = 0;
    request.on("data", (data) => {
      bytes += data.length;
    });
    request.on("end", () => {
      bodies.push(bytes);
      response.end("in");
    });
  });
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up]), staticCluster("authz", [port])],
    routes: [toCluster("up")],
    filters: [...before, authz(config)],
  });
  const ask = (init: RequestInit = {}) => fetch(`http://127.0.0.1:${test.port}/`, init);
  return { test, ask, asked, bodies };
}

describe("a request whose service takes its time", () => {
  it("waits with all of its body, however long that is", async () => {
    let answer: (() => void) | undefined;
    const { ask, bodies } = await guarded({}, (_, response) => {
      answer = () => response.end();
    });
    const response = ask({ method: "POST", body: "x".repeat(5 * 1024 * 1024) });
    await eventually(() => answer !== undefined);
    answer?.();
    expect((await response).status).toBe(200);
    expect(bodies).toEqual([5 * 1024 * 1024]);
  });

  it("takes the question back when its client leaves", async () => {
    let closed = false;
    const { test, asked, bodies } = await guarded({}, (request) => {
      request.socket.on("close", () => {
        closed = true;
      });
    });
    const client = await fixtures.client(test.port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => asked.length === 1);
    client.socket.destroy();
    await eventually(() => closed && test.records.length === 1);
    expect(bodies).toEqual([]);
    expect(test.gauge("cluster.authz.upstream_rq_active")).toBe(0);
  });
});

describe("whether it asks at all", () => {
  const say = (value: string): JsonObject => ({
    name: "rbac",
    typed_config: {
      "@type": type("rbac.v3.RBAC"),
      shadow_rules_stat_prefix: "trial_",
      shadow_rules: {
        action: "DENY",
        policies: { [value]: { permissions: [{ any: true }], principals: [{ any: true }] } },
      },
    },
  });
  const enabled: JsonObject = {
    filter_enabled_metadata: {
      filter: "envoy.filters.http.rbac",
      path: [{ key: "trial_shadow_effective_policy_id" }],
      value: { string_match: { prefix: "ask-" } },
    },
  };
  const no: Handler = (_, response) => void response.writeHead(403).end();

  it("hangs on what another filter has found out, as Istio's CUSTOM does", async () => {
    expect((await (await guarded(enabled, no, [say("ask-me")])).ask()).status).toBe(403);
    const { test, ask } = await guarded(enabled, no, [say("other")]);
    expect((await ask()).status).toBe(200);
    expect(test.counter("http.test.ext_authz.disabled")).toBe(1);
  });

  it("may let nobody in while it doesn't", async () => {
    const off = {
      filter_enabled: { default_value: { numerator: 0 } },
      deny_at_disable: { default_value: true, runtime_key: "x" },
    };
    const { test, ask, asked } = await guarded({ ...off, status_on_error: { code: 503 } }, no);
    expect((await ask()).status).toBe(503);
    await eventually(() => test.records.length === 1);
    expect(test.lastRecord).toMatchObject({
      responseFlags: ResponseFlag.unauthorizedExternalService,
      responseCodeDetails: "ext_authz_error",
    });
    expect(asked).toEqual([]);
  });
});

describe("an answer", () => {
  it("that no message can have is refused where that is asked for, and is never sent on", async () => {
    const response: JsonObject = {
      authorization_response: { allowed_upstream_headers: { patterns: [{ prefix: "x-" }] } },
    };
    const bad: Handler = (_, answer) => {
      answer.socket?.end("HTTP/1.1 200 OK\r\nx-good: 1\r\nx-bad: a\x7fb\r\ncontent-length: 0\r\n\r\n", "latin1");
    };
    expect((await (await guarded({ ...service(response), validate_mutations: true }, bad)).ask()).status).toBe(403);
  });

  it("is cut to the length that is allowed", async () => {
    const { ask } = await guarded({ max_denied_response_body_bytes: 3 }, (_, response) => {
      response.writeHead(403, { "x-a": "b" }).end("no entry");
    });
    const response = await ask();
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([403, "3", "no "]);
  });

  it("is asked for again, as often as it is said", async () => {
    let times = 0;
    const retry = service({ retry_policy: { num_retries: 2, retry_back_off: { base_interval: "0.001s" } } });
    const { ask, asked } = await guarded(
      retry,
      (_, response) => void response.writeHead(++times < 3 ? 500 : 200).end(),
    );
    expect((await ask()).status).toBe(200);
    expect(asked.length).toBe(3);
  });
});

describe("settings that cannot be", () => {
  it.each<[JsonObject, string]>([
    [{ http_service: { server_uri: { uri: "http://a", cluster: "b" } } }, "http_service.server_uri.timeout: required"],
    [{ http_service: { path_prefix: "x" } }, "http_service.path_prefix: must begin with /"],
    [{ with_request_body: {} }, "with_request_body.max_request_bytes: must be greater than 0"],
    [{ allowed_headers: { patterns: [{}] } }, "allowed_headers.patterns[0].match_pattern: required"],
    [{ filter_enabled_metadata: {} }, "filter_enabled_metadata.filter: required"],
    [{ decoder_header_mutation_rules: {} }, "decoder_header_mutation_rules: not supported"],
  ])("%j", async (config, problem) => {
    const { test } = await guarded({}, () => {});
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters: [authz(config)] })))).toEqual([
      expect.stringContaining(`typed_config.${problem}`),
    ]);
  });
});
