import { afterEach, expect, it } from "vitest";
import { eventually, Fixtures } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

it("sends whoever asks with encoded slashes to the path without, and refuses calls of gRPC", async () => {
  const test = await fixtures.plane({
    routes: [{ match: { prefix: "/" }, direct_response: { status: 204 } }],
    manager: { path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT", normalize_path: true },
  });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${test.port}${path}`, { redirect: "manual", headers });
  const redirected = await ask("/a%2Fb%5c..%2Fc?d=%2F");
  expect([redirected.status, redirected.headers.get("location")]).toEqual([307, "/a/c?d=%2F"]);
  await eventually(() => test.records.length === 1);
  expect(test.lastRecord).toMatchObject({ path: "/a/c?d=%2F", responseCodeDetails: "path_normalization_failed" });
  expect((await ask("/a/b?c=%2F")).status).toBe(204);
  const call = await ask("/a%2Fb", { "content-type": "application/grpc" });
  // What is bad to HTTP is INTERNAL to gRPC.
  expect([call.status, call.headers.get("grpc-status")]).toEqual([200, "13"]);
  expect(test.counter("http.test.downstream_rq_redirected_with_normalized_path")).toBe(1);
  expect(test.counter("http.test.downstream_rq_failed_path_normalization")).toBe(1);
});
