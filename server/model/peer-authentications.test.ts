import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { indexPeerAuthentications, mutualTlsMode } from "./peer-authentications.ts";

const policy = (key: string, spec: Record<string, unknown>, day = 1): ConfigObject => {
  const [namespace = "", name = ""] = key.split("/");
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { namespace, name, creationTimestamp: `2026-01-0${day}T00:00:00Z` },
    spec,
  };
};
const mode = (value: string) => ({ mtls: { mode: value } });
const selecting = (app: string, more: Record<string, unknown>) => ({ selector: { matchLabels: { app } }, ...more });

const cases: [string, ConfigObject[], string][] = [
  ["PERMISSIVE when nobody says anything", [], "PERMISSIVE"],
  ["the mesh's", [policy("istio-system/default", mode("STRICT"))], "STRICT"],
  [
    "the namespace's before the mesh's",
    [policy("istio-system/a", mode("STRICT")), policy("default/b", mode("DISABLE"))],
    "DISABLE",
  ],
  [
    "inherited where it is unset",
    [policy("istio-system/a", mode("STRICT")), policy("default/b", mode("UNSET"))],
    "STRICT",
  ],
  [
    "the workload's before the namespace's",
    [policy("default/a", mode("STRICT")), policy("default/b", selecting("reviews", mode("DISABLE")), 2)],
    "DISABLE",
  ],
  [
    "the oldest of two for the workload",
    [
      policy("default/b", selecting("reviews", mode("DISABLE")), 2),
      policy("default/c", selecting("reviews", mode("STRICT"))),
    ],
    "STRICT",
  ],
  [
    "nothing of another workload's, or another namespace's",
    [policy("default/a", selecting("ratings", mode("STRICT"))), policy("other/b", mode("STRICT"))],
    "PERMISSIVE",
  ],
  [
    "nothing of a selector in the root namespace",
    [policy("istio-system/a", selecting("reviews", mode("STRICT")))],
    "PERMISSIVE",
  ],
  [
    "a port's before the workload's",
    [policy("default/a", selecting("reviews", { ...mode("DISABLE"), portLevelMtls: { 9080: { mode: "STRICT" } } }))],
    "STRICT",
  ],
  [
    "the workload's for an unset port, and the namespace's behind it",
    [
      policy("default/n", mode("STRICT")),
      policy("default/a", selecting("reviews", { portLevelMtls: { 9080: { mode: "UNSET" } } })),
    ],
    "STRICT",
  ],
];

describe("what a port takes", () => {
  it.each(cases)("%s", (_, objects, expected) => {
    const workload = { namespace: "default", labels: { app: "reviews" } };
    expect(mutualTlsMode(indexPeerAuthentications(objects), "istio-system", workload, 9080)).toBe(expected);
  });
});
