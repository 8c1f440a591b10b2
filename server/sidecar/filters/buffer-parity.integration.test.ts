import { afterAll, beforeAll, describe, it } from "vitest";
import { type Ask, envoyMissing } from "../testing/beside-envoy.ts";
import { at, http, perRoute, Transforms } from "./testing/transforms.ts";

const transforms = new Transforms();

beforeAll(
  () =>
    transforms.start((listener) => ({
      buffer: listener(
        [http("buffer", "buffer.v3.Buffer", { max_request_bytes: 100 })],
        [
          at("/off", perRoute("buffer", "buffer.v3.BufferPerRoute", { disabled: true })),
          at("/more", perRoute("buffer", "buffer.v3.BufferPerRoute", { buffer: { max_request_bytes: 2000 } })),
          { match: { prefix: "/direct" }, direct_response: { status: 200 } },
        ],
      ),
    })),
  90_000,
);
afterAll(() => transforms.close());

describe.skipIf(envoyMissing)("the buffer, like Envoy", () => {
  it.each<[string, string, Ask]>([
    ["buffer", "no body", { path: "/text" }],
    ["buffer", "a body with a length", { method: "POST", path: "/x", body: "b".repeat(100) }],
    [
      "buffer",
      "a chunked body",
      { method: "POST", path: "/x", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(50) },
    ],
    ["buffer", "too long a body", { method: "POST", path: "/x", body: "b".repeat(101) }],
    [
      "buffer",
      "too long a body in chunks",
      { method: "POST", path: "/x", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(200) },
    ],
    [
      "buffer",
      "a route without it",
      { method: "POST", path: "/off", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(200) },
    ],
    [
      "buffer",
      "a route with more",
      { method: "POST", path: "/more", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(1999) },
    ],
    [
      "buffer",
      "an answer made here",
      { method: "POST", path: "/direct", headers: { "transfer-encoding": "chunked" }, body: "b".repeat(10) },
    ],
  ])("%s: %s", async (name, _, what) => {
    await transforms.compare(name, what);
  });
});
