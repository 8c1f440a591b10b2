import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { shownReason, shownValue } from "./redact.ts";
import { TypeUrl } from "./types.ts";

const inline = (text: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(text) } });
const resource = (value: Uint8Array) => ({ name: "s", version: "1", value });
const shown = (init: MessageInitShape<typeof SecretSchema>) =>
  shownValue(TypeUrl.secret, resource(toBinary(SecretSchema, create(SecretSchema, { name: "s", ...init }))));

test.each<[string, MessageInitShape<typeof SecretSchema>["type"]]>([
  [
    "a private key",
    { case: "tlsCertificate", value: { privateKey: inline("hush"), certificateChain: inline("seen") } },
  ],
  ["its password", { case: "tlsCertificate", value: { password: inline("hush"), certificateChain: inline("seen") } }],
  ["a PKCS #12", { case: "tlsCertificate", value: { pkcs12: inline("hush"), certificateChain: inline("seen") } }],
  ["keys of tickets", { case: "sessionTicketKeys", value: { keys: [inline("hush")] } }],
  ["anything else", { case: "genericSecret", value: { secret: inline("hush") } }],
])("%s is not shown", (_, type) => {
  const bytes = Buffer.from(shown({ type }));
  expect(bytes.includes("hush")).toBe(false);
  const read = fromBinary(SecretSchema, bytes);
  expect(read.name).toBe("s");
  if (type?.case !== "tlsCertificate") return;
  expect(read.type.value).toMatchObject({ privateKey: { specifier: { case: "inlineString", value: "[redacted]" } } });
  expect(bytes.includes("seen")).toBe(true);
});

test("what to trust is shown, what can't be read is not", () => {
  const type = { case: "validationContext" as const, value: { trustedCa: inline("root") } };
  expect(Buffer.from(shown({ type })).includes("root")).toBe(true);
  // A string that is longer than what follows, as if the message had been cut.
  const broken = shownValue(TypeUrl.secret, resource(Buffer.from([0x12, 0x7f, ...Buffer.from("hush")])));
  expect(fromBinary(SecretSchema, broken)).toMatchObject({ name: "s", type: { case: undefined } });
  expect(Buffer.from(broken).includes("hush")).toBe(false);
});

test("another type is shown as it is", () => {
  const cluster = resource(Buffer.from("hush"));
  expect(shownValue(TypeUrl.cluster, cluster)).toBe(cluster.value);
});

test("a reason that quotes a secret is not repeated", () => {
  const quote = 'tls_certificate { private_key { inline_bytes: "hush" } }';
  expect(shownReason(TypeUrl.secret, quote)).not.toContain("hush");
  expect(shownReason(TypeUrl.secret, "Failed to load certificate chain")).toBe("Failed to load certificate chain");
  expect(shownReason(TypeUrl.cluster, quote)).toBe(quote);
});
