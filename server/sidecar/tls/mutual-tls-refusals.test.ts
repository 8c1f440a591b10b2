import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { flagNames } from "../response-flags.ts";
import { spiffe, type TestCertificate } from "../secret/testing/certificates.ts";
import { eventually, listenerFrom, listenerJson } from "../test-plane.ts";
import { downstreamTls, inline, trusting } from "./testing/contexts.ts";
import { answer, downstream, get, MutualTls, upstream } from "./testing/mutual-tls.ts";

let pair: MutualTls;
beforeAll(async () => {
  pair = await MutualTls.create();
});
afterEach(() => pair.fixtures.close());

describe("mutual TLS that is refused", () => {
  it.each<[string, () => JsonObject, string, RegExp, string]>([
    [
      "a server of a foreign authority",
      () => pair.clientTls(pair.certificates.a, trusting(pair.certificates.foreign.pem)),
      "UF",
      /CERTIFICATE_VERIFY_FAILED/,
      "fail_verify_error",
    ],
    [
      "a server with another name",
      () => pair.clientTls(pair.certificates.a, trusting(pair.certificates.ca.pem, { exact: spiffe("c") })),
      "UF",
      /SAN matcher, certificate SANs are \[spiffe:\/\/cluster.local\/ns\/default\/sa\/b\]/,
      "fail_verify_san",
    ],
  ])("refuses %s", async (_, tls, flag, reason, stat) => {
    const { plane, seen } = await pair.server();
    const source = await pair.client(plane.port, tls());
    expect(await pair.ask(source)).toMatch(/^HTTP\/1.1 503 [\s\S]*remote connection failure$/);
    expect(flagNames(source.lastRecord.responseFlags)).toEqual([flag]);
    expect(source.lastRecord.upstreamTransportFailureReason).toMatch(reason);
    expect(source.counter(`${upstream}${stat}`)).toBe(1);
    expect(source.counter(`${upstream}handshake`)).toBe(0);
    expect(seen).toEqual([]);
  });

  const refused: [string, () => TestCertificate | undefined, JsonObject, string][] = [
    ["no certificate", () => undefined, {}, "fail_verify_no_cert"],
    ["a foreign certificate", () => pair.certificates.stranger, {}, "fail_verify_error"],
    ["an expired certificate", () => pair.certificates.expired, {}, "fail_verify_error"],
    ["a certificate of another name", () => pair.certificates.a, { prefix: "spiffe://elsewhere/" }, "fail_verify_san"],
  ];
  // Envoy, too, says UC with 1.3, where a client learns only after its own handshake that it was refused.
  for (const [version, flag] of [
    ["TLSv1_3", "UC"],
    ["TLSv1_2", "UF"],
  ]) {
    it.each(refused)(`turns away %s, in ${version}`, async (_, certificate, matcher, stat) => {
      const wanted =
        Object.keys(matcher).length > 0
          ? pair.serverTls(trusting(pair.certificates.ca.pem, matcher))
          : pair.serverTls();
      const { plane, seen } = await pair.server(wanted);
      const params = { tls_params: { tls_maximum_protocol_version: version ?? "" } };
      const source = await pair.client(plane.port, pair.clientTls(certificate(), params));
      expect(await pair.ask(source)).toMatch(/^HTTP\/1.1 503 /);
      expect(flagNames(source.lastRecord.responseFlags)).toEqual([flag]);
      expect(source.lastRecord.upstreamTransportFailureReason).toMatch(/^TLS_error:.*:TLS_error_end$/);
      expect(plane.counter(`${downstream}${stat}`)).toBe(1);
      expect(plane.counter(`${downstream}handshake`)).toBe(0);
      expect(plane.counter(`${downstream}connection_error`)).toBe(0);
      expect(seen).toEqual([]);
      expect(plane.records).toEqual([]);
      await eventually(() => plane.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
    });
  }

  it("is not taken in by a name written inside another one", async () => {
    const { plane, seen } = await pair.server();
    const forged = await pair.certificates.ca.issue({ uris: ["spiffe://elsewhere/a"], dns: [`x, URI:${spiffe("a")}`] });
    expect(await answer(await pair.secure(plane.port, forged), get)).toBe("");
    expect(plane.counter(`${downstream}fail_verify_san`)).toBe(1);
    expect(seen).toEqual([]);
  });

  it("takes a client without a certificate where none is required, but not a bad one", async () => {
    const common = { ...inline(pair.certificates.b), ...trusting(pair.certificates.ca.pem) };
    const { plane, seen } = await pair.server(downstreamTls(common, { require_client_certificate: false }));
    const peer = await pair.secure(plane.port, undefined);
    expect(
      await answer(peer, get.replace("\r\n\r\n", "\r\nx-forwarded-client-cert: URI=spiffe://evil\r\n\r\n")),
    ).toMatch(/200 OK/);
    expect(seen[0]?.headers).not.toHaveProperty("x-forwarded-client-cert");
    expect(plane.lastRecord.downstreamTls?.mutual).toBe(false);
    expect(plane.counter(`${downstream}no_certificate`)).toBe(1);
    const bad = await pair.secure(plane.port, pair.certificates.stranger);
    expect(await answer(bad, get)).toBe("");
    expect(plane.counter(`${downstream}fail_verify_error`)).toBe(1);
  });

  it.each<[string, () => JsonObject, string]>([
    [
      "without a certificate",
      () => downstreamTls(trusting(pair.certificates.ca.pem)),
      "common_tls_context: a certificate is required",
    ],
    [
      "that would take any certificate",
      () => downstreamTls(inline(pair.certificates.b)),
      "transport_socket.typed_config.require_client_certificate: needs a validation context",
    ],
    [
      "that chooses a protocol without having seen the offer",
      () =>
        downstreamTls({
          ...inline(pair.certificates.b),
          ...trusting(pair.certificates.ca.pem),
          alpn_protocols: ["h2"],
        }),
      "filter_chains[0].transport_socket.typed_config.common_tls_context.alpn_protocols: needs a tls_inspector",
    ],
    [
      "that resumes sessions",
      () =>
        downstreamTls(
          { ...inline(pair.certificates.b), ...trusting(pair.certificates.ca.pem) },
          { session_ticket_keys: {} },
        ),
      "session_ticket_keys: not supported",
    ],
  ])("is refused by name: a chain %s", async (_, tls, error) => {
    const { plane } = await pair.fixtures.plane({});
    const [chain] = listenerJson({}).filter_chains as JsonObject[];
    const [message] = plane.setListener(listenerFrom({ ...listenerJson({}), filter_chains: [{ ...chain, ...tls() }] }));
    expect(message).toContain(error);
  });
});
