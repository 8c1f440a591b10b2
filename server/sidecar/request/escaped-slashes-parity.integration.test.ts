import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, staticCluster, toCluster } from "../test-plane.ts";
import { envoyMissing } from "../testing/beside-envoy.ts";
import { Twins } from "../testing/twins.ts";

// Paths with encoded slashes: what real Envoy and our data path make of them, by each action and beside the other normalizations.

const fixtures = new Fixtures();
const managers: Record<string, JsonObject> = {
  redirect: { path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT" },
  "redirect, normalized": {
    path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT",
    normalize_path: true,
    merge_slashes: true,
  },
  forward: { path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD", normalize_path: true },
  reject: { path_with_escaped_slashes_action: "REJECT_REQUEST" },
  keep: { path_with_escaped_slashes_action: "KEEP_UNCHANGED", normalize_path: true },
};
const twins = new Map<string, Twins>();

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await fixtures.http((request, response) => void response.end(request.url));
  await Promise.all(
    Object.entries(managers).map(async ([name, manager]) => {
      twins.set(
        name,
        await Twins.start(fixtures, { clusters: [staticCluster("up", [up])], routes: [toCluster("up")], manager }),
      );
    }),
  );
}, 90_000);
afterAll(() => fixtures.close());

const paths = ["/a%2Fb", "/a%2fb%5Cc?d=%2f", "/a%2f%2f..%2fb//c", "/a?b=%2F", "/plain//x", "/a%2f%00b", "/%2fa"];

describe.skipIf(envoyMissing).each(Object.keys(managers))("%s", (name) => {
  const pair = () => {
    const found = twins.get(name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  it.each(paths.flatMap((path) => ["", "content-type: application/grpc\r\n"].map((field) => [path, field])))(
    "%s %s",
    async (path, field) => {
      const text = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n$ASK\r\n${field}Content-Length: 1\r\n\r\nx`;
      const { ours, envoys } = await pair().ask(text);
      expect(ours).toEqual(envoys);
    },
  );

  it("counts alike", async () => {
    for (const counter of ["failed_path_normalization", "redirected_with_normalized_path"]) {
      const { ours, envoys } = await pair().counters(`http.test.downstream_rq_${counter}`);
      expect([counter, ours]).toEqual([counter, envoys]);
    }
  });
});
