import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  AggregatedConfigSourceSchema,
  type ConfigSourceSchema,
} from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { redactSecret, secretsOf } from "./secrets.ts";
import { TypeUrl } from "./types.ts";

const ads: MessageInitShape<typeof ConfigSourceSchema> = {
  configSourceSpecifier: { case: "ads", value: create(AggregatedConfigSourceSchema) },
};

describe("what a transport socket asks SDS for", () => {
  const socket = (any: Any) =>
    create(TransportSocketSchema, { name: "tls", configType: { case: "typedConfig", value: any } });
  const names = (refs: ReturnType<typeof secretsOf>) =>
    refs.map(({ typeUrl, name }) => [typeUrl === TypeUrl.secret, name]);

  it("are certificates and authorities, alone and combined, on both sides", () => {
    const upstream = create(UpstreamTlsContextSchema, {
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: [{ name: "default", sdsConfig: ads }],
        validationContextType: {
          case: "combinedValidationContext",
          value: { validationContextSdsSecretConfig: { name: "ROOTCA", sdsConfig: ads } },
        },
      },
    });
    expect(names(secretsOf(socket(anyPack(UpstreamTlsContextSchema, upstream))))).toEqual([
      [true, "default"],
      [true, "ROOTCA"],
    ]);
    const downstream = create(DownstreamTlsContextSchema, {
      commonTlsContext: {
        validationContextType: { case: "validationContextSdsSecretConfig", value: { name: "ca", sdsConfig: ads } },
      },
    });
    expect(names(secretsOf(socket(anyPack(DownstreamTlsContextSchema, downstream))))).toEqual([[true, "ca"]]);
  });

  it("is nothing in plain text, with files, and where the bootstrap holds the secret", () => {
    expect(secretsOf(undefined)).toEqual([]);
    const static_ = create(UpstreamTlsContextSchema, {
      commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name: "of the bootstrap" }] },
    });
    expect(secretsOf(socket(anyPack(UpstreamTlsContextSchema, static_)))).toEqual([]);
  });
});

describe("a secret that is shown", () => {
  const text = (value: string) => ({ specifier: { case: "inlineBytes" as const, value: Buffer.from(value) } });

  it("has its certificate and no key", () => {
    const secret = create(SecretSchema, {
      name: "default",
      type: {
        case: "tlsCertificate",
        value: { certificateChain: text("chain"), privateKey: text("KEY"), password: text("KEY") },
      },
    });
    const shown = redactSecret(toBinary(SecretSchema, secret));
    expect(Buffer.from(shown).toString("latin1")).not.toContain("KEY");
    const { type } = fromBinary(SecretSchema, shown);
    expect(type.case === "tlsCertificate" && type.value.certificateChain?.specifier.value).toEqual(
      new Uint8Array(Buffer.from("chain")),
    );
    expect(type.case === "tlsCertificate" && type.value.privateKey?.specifier.value).toBe("[redacted]");
  });

  it("keeps what is for everyone's eyes, and nothing of other kinds", () => {
    const root = create(SecretSchema, {
      name: "ROOTCA",
      type: { case: "validationContext", value: { trustedCa: text("root") } },
    });
    expect(redactSecret(toBinary(SecretSchema, root))).toEqual(toBinary(SecretSchema, root));
    const generic = create(SecretSchema, {
      name: "g",
      type: { case: "genericSecret", value: { secret: text("KEY") } },
    });
    expect(Buffer.from(redactSecret(toBinary(SecretSchema, generic))).toString("latin1")).not.toContain("KEY");
    const tickets = create(SecretSchema, {
      name: "t",
      type: { case: "sessionTicketKeys", value: { keys: [text("KEY")] } },
    });
    expect(Buffer.from(redactSecret(toBinary(SecretSchema, tickets))).toString("latin1")).not.toContain("KEY");
  });
});
