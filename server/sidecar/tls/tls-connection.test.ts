import { X509Certificate } from "node:crypto";
import { create, fromBinary } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, it } from "vitest";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { TLSProperties_TLSVersion as Version } from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import {
  StreamAccessLogsMessage_HTTPAccessLogEntriesSchema as HttpEntries,
  StreamAccessLogsMessage_TCPAccessLogEntriesSchema as TcpEntries,
} from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { encodeEntry, encodeTcpEntry } from "../access-log/encode-entry.ts";
import { IstioMetrics } from "../access-log/istio-metrics.ts";
import { ProtoWriter } from "../access-log/proto-writer.ts";
import { sampleRecord } from "../access-log/testing/sample-record.ts";
import { compileFormat, renderText } from "../format/format.ts";

import { spiffe, TestAuthority } from "../secret/testing/certificates.ts";
import { altNames } from "./alt-names.ts";
import { certificateInfo, rfc2253 } from "./certificate-info.ts";
import { TlsConnection } from "./tls-connection.ts";
import { type NameTest, namesMatch } from "./validation.ts";

let connection: TlsConnection;
beforeAll(async () => {
  const ca = await TestAuthority.create();
  const [peer, local] = [
    await ca.issue({ uris: [spiffe("a")], dns: ["a.example"], subject: "O=limpid,CN=a" }),
    await ca.issue({ uris: [spiffe("b")] }),
  ];
  const cipher = { name: "TLS_AES_256_GCM_SHA384", standardName: "TLS_AES_256_GCM_SHA384", version: "TLSv1.3" };
  const socket = { getProtocol: () => "TLSv1.3", getCipher: () => cipher, servername: "b.example" };
  connection = new TlsConnection(
    socket,
    certificateInfo(new X509Certificate(local.chain)),
    new X509Certificate(peer.chain),
  );
});

const record = () => sampleRecord({ downstreamTls: connection });
const none = { requestHeaders: [], responseHeaders: [], responseTrailers: [], customTags: [] };

describe("what is told of a TLS connection", () => {
  it("in access logs, over HTTP and TCP", () => {
    const writer = new ProtoWriter(16);
    encodeEntry(writer, record(), none);
    const http = fromBinary(HttpEntries, writer.buffer.subarray(0, writer.position)).logEntry[0];
    writer.reset();
    encodeTcpEntry(writer, { ...record(), protocol: "" }, none);
    const tcp = fromBinary(TcpEntries, writer.buffer.subarray(0, writer.position)).logEntry[0];
    for (const entry of [http, tcp]) {
      expect(entry?.commonProperties?.tlsProperties).toMatchObject({
        tlsVersion: Version.TLSv1_3,
        tlsCipherSuite: 0x1302,
        tlsSniHostname: "b.example",
        localCertificateProperties: { subjectAltName: [{ san: { case: "uri", value: spiffe("b") } }], subject: "" },
        peerCertificateProperties: {
          subjectAltName: [{ san: { case: "uri", value: spiffe("a") } }, { san: { case: "dns", value: "a.example" } }],
          subject: "CN=a,O=limpid",
          issuer: "CN=test,O=limpid",
        },
      });
      expect(entry?.commonProperties?.upstreamCluster).toBe("outbound|9080|v2|reviews.default.svc.cluster.local");
    }
  });

  it("in access logs by a tag, of the endpoint that was reached", () => {
    const tagsOf = (upstreamTls: TlsConnection | undefined) => {
      const writer = new ProtoWriter(16);
      encodeEntry(writer, sampleRecord({ upstreamTls }), none);
      return fromBinary(HttpEntries, writer.buffer.subarray(0, writer.position)).logEntry[0]?.commonProperties
        ?.customTags;
    };
    expect(tagsOf(connection)).toEqual({ "limpid.reached": spiffe("a") });
    expect(tagsOf(undefined)).toEqual({});
  });

  it("in formats, where plain text has nothing to say", () => {
    const text =
      "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_SUBJECT% %DOWNSTREAM_LOCAL_URI_SAN%";
    const expected = `TLSv1.3 ${spiffe("a")} CN=a,O=limpid ${spiffe("b")}`;
    const format = compileFormat(text);
    expect(renderText(format, record(), "-")).toBe(expected);
    expect(renderText(format, sampleRecord(), "-")).toBe("- - - -");
  });

  it("in Istio's metrics: the destination knows the principals, the source leaves them to it", () => {
    const metrics = new IstioMetrics(create(NodeSchema, { id: "n" }));
    metrics.logger("inbound").log(record());
    metrics.logger("inbound").log(sampleRecord());
    metrics.logger("outbound").log(record());
    const lines = metrics.render().split("\n");
    const [inbound, plain, outbound] = lines.filter((line) => line.startsWith("istio_requests_total"));
    expect(inbound).toContain(`source_principal="${spiffe("a")}"`);
    expect(inbound).toContain(`destination_principal="${spiffe("b")}"`);
    expect(inbound).toContain('connection_security_policy="mutual_tls"');
    expect(plain).toContain('source_principal="unknown"');
    expect(plain).toContain('connection_security_policy="none"');
    expect(outbound).toContain('connection_security_policy="unknown"');
    expect(outbound).toContain('source_principal="unknown"');
  });
});

describe("names of a certificate", () => {
  it("cannot be smuggled in through another one's text", () => {
    expect(altNames("email:a@b.example, othername:x")).toContainEqual({ type: "email", value: "a@b.example" });
    const text = 'DNS:"x, URI:spiffe://cluster.local/ns/default/sa/evil", URI:spiffe://other, IP Address:10.0.0.1';
    expect(altNames(text)).toEqual([
      { type: "DNS", value: "x, URI:spiffe://cluster.local/ns/default/sa/evil" },
      { type: "URI", value: "spiffe://other" },
      { type: "IP Address", value: "10.0.0.1" },
    ]);
    const test: NameTest = (names) =>
      names.some(({ type, value }) => type === "URI" && value.startsWith("spiffe://cluster.local/"));
    expect(namesMatch([test], text)).toBe(false);
    expect(namesMatch([], undefined)).toBe(true);
    expect(namesMatch([test], undefined)).toBe(false);
  });

  it("are written last first, as RFC 2253 has it", () => {
    expect(rfc2253("C=US\nO=Ü + OU=b\nCN=a\\,b")).toBe("CN=a\\,b,OU=b+O=\\C3\\9C,C=US");
    expect(rfc2253(undefined)).toBe("");
  });
});
