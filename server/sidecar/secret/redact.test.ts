import { toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { DownstreamTlsContextSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { listenerFrom, listenerJson } from "../test-plane.ts";
import { downstreamTls } from "../tls/testing/contexts.ts";
import { redacted } from "./redact.ts";

it("hides keys wherever they stand, and nothing else, and leaves the message itself alone", () => {
  const own = {
    certificate_chain: { inline_string: "seen" },
    private_key: { inline_bytes: Buffer.from("hush").toString("base64") },
    password: { filename: "/hush" },
  };
  const [chain] = listenerJson({}).filter_chains as object[];
  const tls = downstreamTls({ tls_certificates: [own], alpn_protocols: ["istio"] });
  const listener = listenerFrom({ ...listenerJson({}), filter_chains: [{ ...chain, ...tls }] });
  const before = toBinary(ListenerSchema, listener);
  const copy = redacted(ListenerSchema, listener);
  const config = copy.filterChains[0]?.transportSocket?.configType;
  const context = config?.case === "typedConfig" ? anyUnpack(config.value, DownstreamTlsContextSchema) : undefined;
  const [shown] = context?.commonTlsContext?.tlsCertificates ?? [];
  expect(shown?.certificateChain?.specifier).toEqual({ case: "inlineString", value: "seen" });
  expect(shown?.password?.specifier).toEqual({ case: "filename", value: "[redacted]" });
  expect(shown?.privateKey?.specifier.case).toBe("inlineBytes");
  expect(Buffer.from(shown?.privateKey?.specifier.value as Uint8Array).toString()).toBe("[redacted]");
  expect(context?.commonTlsContext?.alpnProtocols).toEqual(["istio"]);
  expect(Buffer.from(toBinary(ListenerSchema, copy)).toString("latin1")).not.toContain("hush");
  expect(toBinary(ListenerSchema, listener)).toEqual(before);
});
