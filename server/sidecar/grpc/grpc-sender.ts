import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Client, Metadata } from "@grpc/grpc-js";
import type { Cluster } from "../cluster/cluster.ts";
import { GrpcFailure, grpcCall } from "../upstream/grpc-call.ts";
import type { EnvoyGrpc, GrpcChannels } from "./grpc-channels.ts";

export type Clusters = () => ReadonlyMap<string, Cluster>;

const timeoutMs = 5_000;
const maxBytes = 1024 * 1024;

export const targetOf = ({ cluster, authority }: EnvoyGrpc) => ({
  cluster,
  authority: authority || cluster,
  metadata: [],
  timeoutMs,
  maxBytes,
});

/**
 * Tells a server something and does not mind what it answers: over a channel where the bootstrap has the cluster, else by the data path, which has
 * balancing, mutual TLS and circuit breakers for it. False: it was not taken.
 */
export class GrpcSender {
  readonly #channels: GrpcChannels;
  readonly #clusters: Clusters;

  constructor(channels: GrpcChannels, clusters: Clusters) {
    this.#channels = channels;
    this.#clusters = clusters;
  }

  send<I extends DescMessage, O extends DescMessage>(
    to: EnvoyGrpc,
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
    nowMs: number,
  ): Promise<boolean> {
    const channel = this.#channels.channel(to.cluster);
    if (channel !== undefined) return overChannel(channel, method, request, nowMs + timeoutMs);
    return new Promise((resolve) => {
      grpcCall(this.#clusters(), targetOf(to), method, request, (answer) => resolve(!(answer instanceof GrpcFailure)));
    });
  }
}

function overChannel<I extends DescMessage, O extends DescMessage>(
  channel: Client,
  { parent, name, input, output }: DescMethodUnary<I, O>,
  request: MessageShape<I>,
  deadline: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    channel.makeUnaryRequest(
      `/${parent.typeName}/${name}`,
      (message: MessageShape<I>) => Buffer.from(toBinary(input, message)),
      (bytes: Buffer) => fromBinary(output, bytes),
      request,
      new Metadata(),
      { deadline },
      (error) => resolve(error === null),
    );
  });
}
