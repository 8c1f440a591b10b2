import type { ProxySync } from "../../server/contract/index.ts";

/** What a client of the control plane is. Those of `applications` have no proxy beside them. */
export const clientKinds = ["bundled", "envoy", "sdk", "grpc", "other"] as const;
export type ClientKind = (typeof clientKinds)[number];

const applications: ReadonlySet<ClientKind | null> = new Set<ClientKind>(["sdk", "grpc"]);

type Named = Pick<ProxySync, "implementation">;

/** By how it calls itself: `user_agent_name` of its node. Null: it never came. */
export function clientKind({ implementation }: Named): ClientKind | null {
  if (implementation === "") return null;
  const [name = ""] = implementation.toLowerCase().split(" ");
  switch (name) {
    case "limpid-sidecar":
      return "bundled";
    case "limpid-sdk":
      return "sdk";
    case "envoy":
      return "envoy";
    // "gRPC Go", "gRPC Node Pure JS", "gRPC C-core linux": each language has its own.
    case "grpc":
      return "grpc";
    default:
      return "other";
  }
}

/** Whether the application itself takes part, rather than a proxy for it. */
export const isApplication = (proxy: Named): boolean => applications.has(clientKind(proxy));

/** Those that there are, in their order. */
export function clientKindsOf(proxies: readonly Named[]): ClientKind[] {
  const there = new Set(proxies.map(clientKind));
  return clientKinds.filter((kind) => there.has(kind));
}

/** `1.40.0` of `envoy 1.40.0`; empty: it says none. */
export const clientVersion = ({ implementation }: Named): string => /\d+\.\d\S*$/.exec(implementation)?.[0] ?? "";
