import { IstioCertificateService } from "../../gen/proto/istio/security/v1alpha1/ca_pb.js";
import type { ServerMaterial } from "../../grpc/guarded-tls.ts";
import { addHealth } from "../../grpc/health.ts";
import { addReflection } from "../../grpc/reflection.ts";
import { GrpcServer } from "../../grpc/server.ts";
import type { Clock } from "../../lib/clock.ts";

export interface JoinServer {
  /** Resolves to the bound port. */
  start(): Promise<number>;
  stop(graceMs?: number): Promise<void>;
}

/**
 * A port of its own for those who have no certificate yet: 15012 asks for one before a word is said. It signs certificates and does nothing else, and
 * few connections are enough for that.
 */
export function createJoinServer(
  at: { hosts: readonly string[]; port: number },
  {
    credentials,
    roots,
    clock,
    add,
  }: {
    credentials(renew: (material: ServerMaterial) => void): Promise<ServerMaterial>;
    /** Of the mesh, PEM. */
    roots(): string;
    clock: Clock;
    add(server: GrpcServer): void;
  },
): JoinServer {
  const limits = {
    maxMessageBytes: 64 * 1024,
    maxStreamsPerConnection: 10,
    maxConnections: 200,
    firstMessageMs: 10_000,
  };
  const server = new GrpcServer(limits, clock);
  /** Whoever joins knows nothing of the root but its hash. */
  const withRoot = (material: ServerMaterial): ServerMaterial => ({
    ...material,
    certificateChain: material.certificateChain + roots(),
  });
  add(server);
  const health = addHealth(server, [IstioCertificateService.typeName]);
  addReflection(server, [IstioCertificateService]);
  return {
    async start() {
      const port = await server.listenGuarded(at, {
        credentials: async (renew) => withRoot(await credentials((next) => renew(withRoot(next)))),
        clients: "anybody",
      });
      health.set(true);
      return port;
    },
    async stop(graceMs = 1_000) {
      health.set(false);
      await server.stop(graceMs);
    },
  };
}
