import type { DownstreamFacts, DownstreamStream } from "../http/stream.ts";

/** Of a request that its codec has answered already: what is said to it is for the log only. */
export class AnsweredStream implements DownstreamStream {
  readonly protocol = "HTTP/2";
  readonly connection: DownstreamFacts;

  constructor(connection: DownstreamFacts) {
    this.connection = connection;
  }

  sendInformational(): void {}

  sendHead(): void {}

  sendData(): boolean {
    return true;
  }

  sendEnd(): void {}

  flush(): boolean {
    return true;
  }

  reset(): void {}

  pause(): void {}

  resume(): void {}
}
