import { rootCertificates } from "node:tls";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { clusterFrom, Fixtures, staticCluster } from "../test-plane.ts";

// Handshakes, good and bad, are judged on both proxies in e2e/scenarios/tcp.integration.test.ts.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const withTls = (common: JsonObject, rest: JsonObject = {}) =>
  clusterFrom(
    staticCluster("c", [], {
      transport_socket: {
        name: "envoy.transport_sockets.tls",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
          common_tls_context: common,
          ...rest,
        },
      },
    }),
  );
const validation = (fields: JsonObject) => ({ validation_context: fields });
const path = "transport_socket.typed_config.common_tls_context";

describe("TLS towards a cluster", () => {
  it.each<[string, JsonObject, string]>([
    [
      "authorities that cannot be read",
      validation({ trusted_ca: { filename: "/nowhere/ca.pem" } }),
      `${path}.validation_context.trusted_ca.filename: /nowhere/ca.pem cannot be read (ENOENT)`,
    ],
    [
      "authorities that are none",
      validation({ trusted_ca: { inline_string: "no PEM" } }),
      ".trusted_ca: holds no certificate in PEM form",
    ],
    ["no authorities", validation({ trusted_ca: { inline_string: "" } }), ".trusted_ca: holds no certificate"],
    // Without them there would be no check at all, though one was asked for.
    ["names without authorities", validation({ match_typed_subject_alt_names: [] }), ".trusted_ca: required"],
    [
      "a kind of name",
      validation({
        trusted_ca: { inline_string: rootCertificates[0] ?? "" },
        match_typed_subject_alt_names: [{ san_type: "OTHER_NAME", matcher: { exact: "a" } }],
      }),
      ".match_typed_subject_alt_names[0].san_type: OTHER_NAME is not supported",
    ],
    [
      "a client certificate without its parts",
      { tls_certificates: [{}] },
      "tls_certificates[0].certificate_chain: filename",
    ],
    [
      "several client certificates",
      { tls_certificates: [{}, {}, {}] },
      `${path}.tls_certificates: more than 2 certificates are not supported`,
    ],
    [
      "a version that nobody should speak",
      { tls_params: { tls_minimum_protocol_version: "TLSv1_0" } },
      `${path}.tls_params.tls_minimum_protocol_version: TLSv1_0 is not supported`,
    ],
    [
      "versions in the wrong order",
      { tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_2" } },
      `${path}.tls_params.tls_minimum_protocol_version: is above the maximum`,
    ],
    [
      "cipher suites that nobody has",
      { tls_params: { cipher_suites: ["AES128-SHA", "AES128-SH"] } },
      `${path}.tls_params.cipher_suites: "AES128-SH": not known to this machine's OpenSSL`,
    ],
    [
      "curves that nobody has",
      { tls_params: { ecdh_curves: ["P-1"] } },
      `${path}.tls_params.ecdh_curves: not known to this machine's OpenSSL`,
    ],
    ["keys written down", { key_log: { path: "/x" } }, `${path}.key_log: not supported`],
    [
      "a list of what was taken back that is none",
      validation({ trusted_ca: { inline_string: rootCertificates[0] ?? "" }, crl: { inline_string: "x" } }),
      ".crl: holds no revocation list",
    ],
  ])("is refused by name: %s", async (_, common, error) => {
    const { plane } = await fixtures.plane({});
    const [first] = plane.setCluster(withTls(common));
    expect(first).toContain("cluster c: ");
    expect(first).toContain(error);
  });

  it("is taken without a check when none is asked for", async () => {
    const { plane } = await fixtures.plane({});
    expect(plane.setCluster(withTls({}, { sni: "a.example" }))).toEqual([]);
  });
});
