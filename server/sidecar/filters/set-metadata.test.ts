import type { JsonObject } from "@bufbuild/protobuf";
import { anyUnpack, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, it } from "vitest";
import { eventually, Fixtures, listenerFrom, listenerJson } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const filter = (...metadata: JsonObject[]): JsonObject => ({
  name: "set",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config", metadata },
});
const typed = (value: string, more: JsonObject = {}): JsonObject => ({
  metadata_namespace: "t",
  typed_value: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
  ...more,
});

it("notes messages apart from plain values, and replaces them only where it may", async () => {
  const test = await fixtures.plane({
    routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
    filters: [
      filter(
        { metadata_namespace: "t", value: { plain: true } },
        typed("first"),
        typed("never"),
        typed("last", { allow_overwrite: true }),
      ),
    ],
  });
  await fetch(`http://127.0.0.1:${test.port}/`);
  await eventually(() => test.records.length === 1);
  const { dynamicMetadata, typedMetadata } = test.lastRecord;
  expect(dynamicMetadata).toEqual({ t: { plain: true } });
  const any = typedMetadata?.t;
  expect(any && anyUnpack(any, StringValueSchema)?.value).toBe("last");
  expect(test.counter("http.test.set_metadata.overwrite_denied")).toBe(1);
});

it("needs one or the other", async () => {
  const test = await fixtures.plane({});
  const listener = listenerFrom(listenerJson({ filters: [filter({ metadata_namespace: "t" })] }));
  expect(test.plane.setListener(listener)).toEqual([
    expect.stringContaining("metadata[0].value: required, or typed_value"),
  ]);
});
