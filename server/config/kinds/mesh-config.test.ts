import { describe } from "vitest";
import { refusesByPath } from "./testing/objects.ts";

describe("refuses, by path", () => {
  refusesByPath([
    [
      "what proxies of the whole mesh have in common",
      {
        apiVersion: "limpid.dev/v1alpha1",
        kind: "MeshConfig",
        metadata: { name: "other" },
        spec: {
          accessLogEncoding: "JSON",
          accessLogFormat: "%PROTOCOL%",
          defaultConfig: { tracing: { sampling: 101 } },
          pathNormalization: { normalization: "SLASHES" },
          trustDomainAliases: ["old.example", "Old.example", "*", "a/b", "", "old.example"],
          extensionProviders: [
            { name: "A_" },
            {
              name: "b",
              envoyExtAuthzGrpc: { service: "x/y/z", port: 0 },
              envoyExtAuthzHttp: { service: "x", port: 1 },
            },
            {
              name: "b",
              envoyExtAuthzHttp: {
                service: "x",
                port: 1,
                pathPrefix: "x",
                statusOnError: "x",
                includeRequestHeadersInCheck: ["*", "a*b", "a-*"],
                includeRequestBodyInCheck: { maxRequestBytes: 0 },
              },
            },
          ],
        },
      },
      [
        'metadata.name: must be "default"',
        "spec.defaultConfig.tracing.sampling: must be at most 100, not 101",
        "spec.extensionProviders[0].name: must be letters, digits and '-'",
        "spec.extensionProviders[0]: must have one of envoyExtAuthzHttp, envoyExtAuthzGrpc, zipkin",
        "spec.extensionProviders[1].envoyExtAuthzGrpc.service: must be a domain name",
        "spec.extensionProviders[1].envoyExtAuthzGrpc.port: must be at least 1, not 0",
        "spec.extensionProviders[1].envoyExtAuthzGrpc: must not be beside envoyExtAuthzHttp",
        'spec.extensionProviders[2].envoyExtAuthzHttp.statusOnError: must be an HTTP status such as "503", not "x"',
        "spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestBodyInCheck.maxRequestBytes: must be at least 1, not 0",
        "spec.extensionProviders[2].envoyExtAuthzHttp.pathPrefix: must begin with /",
        'spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestHeadersInCheck[0]: "*" alone is not supported',
        "spec.extensionProviders[2].envoyExtAuthzHttp.includeRequestHeadersInCheck[1]: may have a * at one end only",
        "spec.extensionProviders[2].name: b is the name of extensionProviders[1] too",
        "spec.pathNormalization.normalization: must be one of DEFAULT, NONE, BASE",
        "spec.trustDomainAliases[1]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[2]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[3]: must be lower-case letters, digits, '-' and '.'",
        "spec.trustDomainAliases[4]: must not be empty",
        "spec.trustDomainAliases[5]: is there twice",
        "spec.accessLogFormat: must be an object in JSON, since accessLogEncoding is JSON",
      ],
    ],
  ]);
});
