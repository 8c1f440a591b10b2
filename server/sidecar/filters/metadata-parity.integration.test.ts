import { afterAll, beforeAll, describe, it } from "vitest";
import { type Ask, envoyMissing } from "../testing/beside-envoy.ts";
import { http, Transforms } from "./testing/transforms.ts";

const transforms = new Transforms();

beforeAll(
  () =>
    transforms.start((listener) => ({
      metadata: listener([
        http("header_to_metadata", "header_to_metadata.v3.Config", {
          request_rules: [
            {
              header: "x-version",
              on_header_present: { key: "version", type: "STRING" },
              on_header_missing: { key: "version", value: "none" },
              remove: true,
            },
            { header: "x-number", on_header_present: { metadata_namespace: "n", key: "number", type: "NUMBER" } },
            { header: "x-base", on_header_present: { key: "decoded", encode: "BASE64" } },
            { cookie: "session", on_header_present: { key: "session" } },
            {
              header: ":path",
              on_header_present: {
                key: "first",
                regex_value_rewrite: { pattern: { regex: "^/([^/]*)/?.*" }, substitution: "\\1" },
              },
            },
          ],
          response_rules: [{ header: "content-type", on_header_present: { metadata_namespace: "r", key: "type" } }],
        }),
        http("set_metadata", "set_metadata.v3.Config", {
          metadata: [
            { metadata_namespace: "s", value: { a: 1, list: ["x"], deep: { b: true } } },
            { metadata_namespace: "s", value: { never: 1 } },
            { metadata_namespace: "s", allow_overwrite: true, value: { a: 2, list: ["y"], deep: { c: null } } },
          ],
        }),
      ]),
    })),
  90_000,
);
afterAll(() => transforms.close());

describe.skipIf(envoyMissing)("metadata, like Envoy", () => {
  it.each<[string, string, Ask]>([
    [
      "metadata",
      "all headers",
      {
        path: "/one/two",
        headers: { "x-version": "v1", "x-number": " 1.5e3", "x-base": "aGVsbG8=", cookie: "a=b; session=abc" },
      },
    ],
    ["metadata", "none of them", { path: "/text" }],
    ["metadata", "what cannot be read", { path: "/", headers: { "x-number": "many", "x-base": "!" } }],
  ])("%s: %s", async (name, _, what) => {
    await transforms.compare(name, what);
  });

  it("counts as Envoy does", async () => {
    await transforms.compareCounters("http.test.set_metadata");
  });
});
