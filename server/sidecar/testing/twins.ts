// Raw requests to real Envoy and to our data plane: one config, two proxies, and what each answered and logged.
import { connect } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { type Fixtures, type PlaneOptions, RawClient } from "../test-plane.ts";
import { BesideEnvoy } from "./beside-envoy.ts";

/** What one proxy made of a request. */
export interface Outcome {
  /** Status, fields in order of their names, body. */
  readonly answer: string;
  /** `status flags details`, of the access log. */
  readonly log: string;
  /** Dynamic metadata, of the access log. */
  readonly metadata: unknown;
}

const name = "twins";

/** Both with one listener. */
export class Twins {
  private readonly beside: BesideEnvoy;

  private constructor(beside: BesideEnvoy) {
    this.beside = beside;
  }

  /** @param namespace whose dynamic metadata is compared */
  static async start(fixtures: Fixtures, options: PlaneOptions, namespace = "none"): Promise<Twins> {
    const beside = new BesideEnvoy();
    fixtures.onClose(() => beside.close());
    // What is answered here ends its connection; nobody waits a second for that.
    const manager = { delayed_close_timeout: "0.02s", ...options.manager };
    const format = `%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(${namespace})%`;
    const bootstrap: JsonObject =
      options.peers === undefined ? {} : { cluster_manager: { local_cluster_name: options.peers } };
    await beside.start({ [name]: { ...options, manager } }, bootstrap, format);
    return new Twins(beside);
  }

  /** Sends the same bytes to both; `$ASK` stands for the field that tells this request from all others. */
  async ask(text: string): Promise<{ ours: Outcome; envoys: Outcome }> {
    const { mine, theirs } = await this.beside.exchange(name, text, answerOf);
    return { ours: outcome(mine), envoys: outcome(theirs) };
  }

  /** Where both listen. */
  get ports(): { readonly ours: number; readonly envoys: number } {
    const { ours, envoyPort } = this.beside.side(name);
    return { ours: ours.port, envoys: envoyPort };
  }

  /** A counter of both. */
  async counters(counter: string): Promise<{ ours: number; envoys: number }> {
    const { mine, theirs } = await this.beside.counters(name, counter);
    return { ours: mine[counter] ?? 0, envoys: theirs[counter] ?? 0 };
  }
}

function outcome({ answer, log }: { readonly answer: string; readonly log: string }): Outcome {
  const [code, flags, details, ...noted] = log.split(" ");
  const metadata = noted.join(" ");
  return { answer, log: `${code} ${flags} ${details}`, metadata: metadata === "-" ? undefined : JSON.parse(metadata) };
}

/** Sends raw bytes and gives the whole answer, made comparable. */
async function answerOf(port: number, text: string): Promise<string> {
  const client = new RawClient(connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
  const received = await client.send(text).untilEnd();
  client.socket.destroy();
  const [head = "", ...body] = received.split("\r\n\r\n");
  const [status, ...fields] = head.split("\r\n");
  const kept = fields.filter((field) => !/^(date|x-envoy-upstream-service-time):/.test(field)).sort();
  return [status?.replace(/^(HTTP\/1.1 \d+).*/, "$1"), ...kept, "", body.join("\r\n\r\n")].join("\n");
}
