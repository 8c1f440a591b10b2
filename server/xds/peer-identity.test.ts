import type { PeerCertificate } from "node:tls";
import { expect, test } from "vitest";
import { type AuthenticatedCall, peerIdentity } from "./peer-identity.ts";

const uri = "URI:spiffe://cluster.local/ns/default/sa/reviews";
const callOf = (subjectaltname?: string): AuthenticatedCall => ({
  getAuthContext: () => ({ transportSecurityType: "ssl", sslPeerCertificate: { subjectaltname } as PeerCertificate }),
});

test("is the one URI of the certificate, and nothing over plain text", () => {
  expect(peerIdentity(callOf(uri))).toBe("spiffe://cluster.local/ns/default/sa/reviews");
  expect(peerIdentity(callOf(`DNS:reviews, ${uri}`))).toBe("spiffe://cluster.local/ns/default/sa/reviews");
  expect(peerIdentity({ getAuthContext: () => ({}) })).toBeUndefined();
});

test.each([
  ["no names", undefined],
  ["no URI", "DNS:reviews"],
  ["two URIs", `${uri}, URI:spiffe://cluster.local/ns/default/sa/ratings`],
  ["a URI that holds another", `URI:"spiffe://x, ${uri}"`],
  ["a name that holds one", `DNS:"x, ${uri}, DNS:x"`],
])("a certificate with %s names nobody", (_, names) => {
  expect(() => peerIdentity(callOf(names))).toThrow("must carry one URI");
});

test("nor does TLS without a certificate", () => {
  expect(() => peerIdentity({ getAuthContext: () => ({ transportSecurityType: "ssl" }) })).toThrow(
    "must carry one URI",
  );
});
