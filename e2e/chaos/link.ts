import type { DescService } from "@bufbuild/protobuf";
import type { GenService, GenServiceMethods } from "@bufbuild/protobuf/codegenv2";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import { makeClient } from "../../server/lib/grpc.ts";
import type { Protocol } from "../../server/xds/exchange.ts";
import type { TypeUrl } from "../../server/xds/types.ts";

/** What `DeltaState` and `SotwState` have in common, beside the messages that only they read. */
export interface ClientState {
  held(typeUrl: TypeUrl): ReadonlyMap<string, string>;
  open(): object[];
  close(): void;
  subscribe(typeUrl: TypeUrl, names: Iterable<string> | "*"): object[];
  unsubscribe(typeUrl: TypeUrl, names: Iterable<string>): object[];
  receive(response: never, now: number): object[];
  /** Drops what has a time of which nobody told in time. */
  expire(now: number): void;
}

export interface LinkOptions {
  target: string;
  service: DescService;
  protocol: Protocol;
  state: ClientState;
  /** Until it is tried again, after an end that nobody here wanted. */
  retryMs(): number;
}

/** One stream of one client, opened again and again; what the client holds stays with it. */
export class Link {
  readonly state: ClientState;
  /** Streams that were opened. */
  lives = 0;
  readonly #options: LinkOptions;
  readonly #open: () => ClientDuplexStream<object, object>;
  #stream: ClientDuplexStream<object, object> | undefined;
  /** What came while it lags. */
  #unread: object[] = [];
  #lags = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.state = options.state;
    const { service, target, protocol } = options;
    const client = makeClient(service as GenService<GenServiceMethods>, target, {
      "grpc.use_local_subchannel_pool": 1,
    });
    const prefix = protocol === "delta" ? "delta" : "stream";
    const { localName = "" } = service.methods.find(({ localName }) => localName.startsWith(prefix)) ?? {};
    const methods = client as unknown as Record<string, () => ClientDuplexStream<object, object>>;
    this.#open = () => {
      const method = methods[localName];
      if (!method) throw new Error(`${service.typeName} has no stream of the ${protocol} protocol`);
      return method.call(client);
    };
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Whatever is there or to come ends before: a stream that nobody holds would live on, and count as a proxy's. */
  open(): void {
    this.vanish();
    this.lives += 1;
    const stream = this.#open();
    this.#stream = stream;
    stream.on("data", (response: object) => {
      if (this.#stream !== stream) return;
      if (this.#lags) this.#unread.push(response);
      else this.#read(response);
    });
    const again = () => {
      if (this.#stream !== stream) return;
      this.vanish();
      this.#retry = setTimeout(() => this.open(), this.#options.retryMs());
    };
    stream.on("error", again);
    // A server may as well end it with OK.
    stream.on("end", again);
    this.send(this.state.open());
  }

  /** Without a word. */
  vanish(): void {
    clearTimeout(this.#retry);
    const stream = this.#stream;
    this.#stream = undefined;
    this.#unread = [];
    this.#lags = false;
    this.state.close();
    stream?.cancel();
  }

  /** What has run out is dropped, with or without a stream. */
  expire(): void {
    this.state.expire(performance.now());
  }

  lag(): void {
    this.#lags = true;
  }

  catchUp(): void {
    this.#lags = false;
    for (const response of this.#unread.splice(0)) this.#read(response);
  }

  send(requests: readonly object[]): void {
    for (const request of requests) this.#stream?.write(request);
  }

  #read(response: object): void {
    this.send(this.state.receive(response as never, performance.now()));
  }
}
