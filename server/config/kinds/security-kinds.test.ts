import { describe } from "vitest";
import { refusesByPath } from "./testing/objects.ts";

describe("refuses, by path", () => {
  refusesByPath([
    [
      "peers by mode and port",
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "a" },
        spec: { mtls: { mode: "MUTUAL" }, portLevelMtls: { http: { mode: "STRICT" } } },
      },
      [
        "spec.mtls.mode: must be one of UNSET, DISABLE, PERMISSIVE, STRICT",
        'spec.portLevelMtls.http: must be a port number, not "http"',
        "spec.portLevelMtls: needs a selector with matchLabels",
      ],
    ],
    [
      "who may do what",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a" },
        spec: {
          action: "CUSTOM",
          rules: [
            {
              from: [
                { source: {} },
                { source: { ipBlocks: ["10.0.0.0/33"], requestPrincipals: ["*"], principals: ["a*b"] } },
              ],
              to: [
                { operation: { ports: ["http"], paths: ["/{*}", "/{**}/x/{*}", "/a{*}", "{*}", "*/a*"], methods: [] } },
              ],
              when: [
                { key: "source.ports", values: ["1"] },
                { key: "source.ip", values: ["x"] },
                { key: "request.auth.claims[a]" },
              ],
            },
          ],
        },
      },
      [
        "spec.rules[0].from[0].source: must have at least one field",
        "spec.rules[0].from[1].source.principals[0]: may have a * at one end only",
        "spec.rules[0].from[1].source.ipBlocks[0]: must be an IP address or a CIDR block",
        'spec.rules[0].to[0].operation.ports[0]: must be a port number, not "http"',
        "spec.rules[0].to[0].operation.paths[1]: may have nothing but plain segments behind {**}",
        'spec.rules[0].to[0].operation.paths[2]: must have whole segments that are {*}, {**} or plain text; "a{*}" is none',
        "spec.rules[0].to[0].operation.paths[3]: must begin with a slash",
        "spec.rules[0].to[0].operation.paths[4]: may have a * at one end only",
        "spec.rules[0].to[0].operation.methods: needs at least one entry",
        "spec.rules[0].when[0].key: must be one of source.ip",
        'spec.rules[0].when[1].values[0]: must be an IP address or a CIDR block such as "10.0.0.0/8", not "x"',
        "spec.rules[0].when[2]: must have one of values, notValues",
        "spec.provider: is required for action: CUSTOM",
        "spec.rules[0].from[1].source.principals: principals can't be asked for with action CUSTOM",
        "spec.rules[0].from[1].source.requestPrincipals: requestPrincipals can't be asked for with action CUSTOM",
        "spec.rules[0].when[2].key: request.auth.claims[a] can't be asked for with action CUSTOM",
      ],
    ],
    [
      "what a policy is for, and on trial",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a", annotations: { "istio.io/dry-run": "yes" } },
        spec: {
          selector: { matchLabels: { app: "a" } },
          targetRefs: [
            { kind: "GatewayClass", name: "x" },
            { kind: "Gateway", name: "x" },
            { kind: "Service", name: "x", namespace: "y" },
            { kind: "Pod", name: "" },
          ],
          provider: { name: "x" },
          rules: [{ from: [{ source: { serviceAccounts: ["a/*"], namespaces: ["b"], trustDomains: ["a/b"] } }] }],
        },
      },
      [
        "spec.targetRefs[0].kind: Limpid has no waypoint proxies for a GatewayClass",
        'spec.targetRefs[1].group: must be "gateway.networking.k8s.io" for a Gateway, not ""',
        "spec.targetRefs[2].namespace: must not be set",
        'spec.targetRefs[3].kind: must be one of Service, ServiceEntry, Gateway, not "Pod"',
        "spec.targetRefs[3].name: must not be empty",
        "spec.rules[0].from[0].source.serviceAccounts[0]: must be of a form such as <name>, <namespace>/<name>",
        'spec.rules[0].from[0].source.trustDomains[0]: must be a trust domain, without a slash, not "a/b"',
        "spec.rules[0].from[0].source.serviceAccounts: must not be beside namespaces",
        "spec.targetRefs: must not be beside selector",
        "spec.provider: has no effect without action: CUSTOM",
      ],
    ],
    [
      "whether a policy is on trial",
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: "a", annotations: { "istio.io/dry-run": "yes" } },
      },
      ['metadata.annotations["istio.io/dry-run"]: must be one of "true", "false", not "yes"'],
    ],
    [
      "whose tokens are good",
      {
        apiVersion: "security.istio.io/v1",
        kind: "RequestAuthentication",
        metadata: { name: "a" },
        spec: {
          jwtRules: [
            {},
            { issuer: "a", jwks: "{" },
            { issuer: "a", jwks: '{"keys":[]}', jwksUri: "ftp://x" },
            { issuer: "a", jwks: '{"keys":[{"kty":"EC","crv":"P-256"},{"kty":"XX"},{}]}' },
            { jwksUri: "https://me:secret@x/" },
            {
              issuer: "a",
              jwksUri: "https://x/",
              audiences: [""],
              fromHeaders: [{ name: "a b" }, { prefix: "x" }],
              fromParams: [""],
              outputPayloadToHeader: ":path",
              outputClaimToHeaders: [{ header: "x" }, { header: "a b", claim: "" }],
              timeout: "soon",
              spaceDelimited: [],
            },
          ],
        },
      },
      [
        "spec.jwtRules[0].issuer: is required without jwksUri",
        "spec.jwtRules[0].jwksUri: is required, or jwks",
        "spec.jwtRules[1].jwks: must be a JSON Web Key Set",
        'spec.jwtRules[2].jwksUri: must be a URL that begins with http:// or https://, not "ftp://x"',
        "spec.jwtRules[2].jwks: has no key",
        "spec.jwtRules[2].jwksUri: must not be beside jwks",
        "spec.jwtRules[3].jwks: keys[0] is no EC key: a part of it is missing or damaged (RFC 7518 §6)",
        'spec.jwtRules[3].jwks: keys[1] has kty "XX"',
        'spec.jwtRules[3].jwks: keys[2] needs "kty"',
        "spec.jwtRules[4].jwksUri: must have no user name or password",
        "spec.jwtRules[5].audiences[0]: must not be empty",
        'spec.jwtRules[5].fromHeaders[0].name: "a b" is not a valid header name',
        "spec.jwtRules[5].fromHeaders[1].name: is required",
        "spec.jwtRules[5].fromParams[0]: must not be empty",
        'spec.jwtRules[5].outputPayloadToHeader: ":path" is not a valid header name',
        "spec.jwtRules[5].outputClaimToHeaders[0].claim: is required",
        'spec.jwtRules[5].outputClaimToHeaders[1].header: "a b" is not a valid header name',
        "spec.jwtRules[5].outputClaimToHeaders[1].claim: must not be empty",
        "spec.jwtRules[5].timeout: must be a duration",
        "spec.jwtRules[5].spaceDelimited: unknown field",
      ],
    ],
    [
      "entries of Secrets, of which nothing is quoted",
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "a" },
        type: "kubernetes.io/tls",
        data: { "tls.crt": "aGVsbG8=", "a b": "", x: "not base64" },
        stringData: { key: "no key either", y: 1 },
        secret: "x",
      },
      [
        'data["a b"]: must be letters, digits',
        "data.x: must be base64; write plain text into stringData",
        "stringData.y: must be a string: quote it",
        "secret: unknown field",
      ],
    ],
    [
      "certificates and keys of Secrets",
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "a" },
        type: "kubernetes.io/tls",
        data: { "tls.crt": "aGVsbG8=" },
        stringData: {
          key: "no key either",
          "ca.crt": "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
          crl: "x",
        },
      },
      [
        'data["tls.key"]: is required for type: kubernetes.io/tls',
        'data["tls.crt"]: holds no certificate in PEM form',
        'stringData["key"]: holds no private key in PEM form',
        'stringData["ca.crt"]: certificate 1 in it can\'t be read',
        'stringData["crl"]: holds no revocation list',
      ],
    ],
  ]);
});
