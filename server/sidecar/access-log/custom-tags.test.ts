import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CustomTagSchema } from "../../gen/proto/envoy/type/tracing/v3/custom_tag_pb.js";
import { customTagReaders } from "./custom-tags.ts";
import { sampleRecord } from "./testing/sample-record.ts";

const valueTag = (value: string) => create(CustomTagSchema, { tag: "limpid.cluster", type: { case: "value", value } });

test("a value tag is a substitution format: the routed cluster stands also when no host was tried", () => {
  const readers = customTagReaders([valueTag("%UPSTREAM_CLUSTER_RAW%")]);
  const reader = readers.ok ? readers.value[0] : undefined;
  const aborted = sampleRecord({ upstreamCluster: "", routedCluster: "outbound|9080|v3|reviews" });
  expect(reader?.read(aborted)).toBe("outbound|9080|v3|reviews");
  expect(reader?.read(sampleRecord({ routedCluster: "" }))).toBe("");
});

test("an operator that is not supported is refused by name", () => {
  expect(customTagReaders([valueTag("%UPSTREAM_WIRE_BYTES_SENT%")])).toMatchObject({
    ok: false,
    errors: [expect.stringMatching(/custom_tags "limpid.cluster": .*UPSTREAM_WIRE_BYTES_SENT/)],
  });
});
