import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { AggregatedDiscoveryService } from "../../../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from "../../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { addService, type DuplexCall } from "../../../lib/grpc.ts";
import type { TestCertificate } from "../../secret/testing/certificates.ts";

type Stream = DuplexCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

/** A control plane on a TLS port that wants a client certificate, sends what a test tells it to, and notes what it is asked. */
export class SecurePlane {
  readonly requests: DeltaDiscoveryRequest[] = [];
  port = 0;
  private readonly server = new Server();
  private stream: Stream | undefined = undefined;
  private version = 0;

  async start(authorities: string, { chain, key }: TestCertificate): Promise<void> {
    addService(this.server, AggregatedDiscoveryService, {
      deltaAggregatedResources: (call) => {
        this.stream = call;
        call.on("data", (request) => this.requests.push(request));
        call.on("end", () => call.end());
        call.on("error", () => {});
      },
    });
    const pair = { cert_chain: Buffer.from(chain), private_key: Buffer.from(key) };
    const credentials = ServerCredentials.createSsl(Buffer.from(authorities), [pair], true);
    this.port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port))),
    );
  }

  /** Names asked for of a type, in the order of asking. */
  asked(typeUrl: string): string[] {
    return this.requests.filter((request) => request.typeUrl === typeUrl).flatMap((r) => r.resourceNamesSubscribe);
  }

  refusals(typeUrl: string): string[] {
    return this.requests.flatMap((r) => (r.typeUrl === typeUrl && r.errorDetail ? [r.errorDetail.message] : []));
  }

  push(typeUrl: string, resources: Record<string, Uint8Array>, removedResources: string[] = []): void {
    this.version++;
    const version = String(this.version);
    const all = Object.entries(resources).map(([name, value]) => ({ name, version, resource: { typeUrl, value } }));
    this.stream?.write(
      create(DeltaDiscoveryResponseSchema, { typeUrl, nonce: version, removedResources, resources: all }),
    );
  }

  /** Ends the stream, so that the client comes again. */
  hangUp(): void {
    this.stream?.end();
  }

  close(): void {
    this.server.forceShutdown();
  }
}
