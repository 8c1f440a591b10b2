// The same listeners and clusters in our data path and in real Envoy, one process for all of a test file, so that answers, upstreams and log lines can be compared.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { compileFormat, renderText } from "../format/format.ts";
import type { RequestRecord } from "../record.ts";
import { Fixtures, listenerJson, type PlaneOptions, type TestPlane } from "../test-plane.ts";
import { wholeLines } from "./whole-lines.ts";

export const envoyPath =
  process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../../.build/envoy/envoy/_bin/envoy");
/** Tests that need Envoy are skipped without it, but fail where CI is set. */
export const envoyMissing = !existsSync(envoyPath) && !process.env.CI;

/** One listener, on both sides. */
export interface Beside {
  readonly ours: TestPlane;
  readonly envoyPort: number;
}

/** What a client asks. */
export interface Ask {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** What it gets. */
export interface Answer {
  readonly status: number;
  /** `name: value`, sorted; without what differs from run to run. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | undefined>>;
}

export type Logged = Answer & { readonly log: string };

/** Our planes and an Envoy with the same listeners, by name. */
export class BesideEnvoy {
  readonly fixtures = new Fixtures();
  private readonly folder = mkdtempSync(join(tmpdir(), "beside-envoy-"));
  private readonly sides = new Map<string, Beside>();
  private child: ChildProcess | undefined = undefined;
  private admin = "";
  private asked = 0;

  /**
   * @param logFormat of one line each, without its end; the id of the request comes before it
   * @param more files that Envoy writes in other formats
   * @param filters files into which Envoy writes the id of what they let pass
   */
  async start(
    listeners: Readonly<Record<string, PlaneOptions>>,
    bootstrap: JsonObject = {},
    logFormat = "%RESPONSE_CODE%",
    more: Readonly<Record<string, JsonObject>> = {},
    filters: Readonly<Record<string, JsonObject>> = {},
  ): Promise<void> {
    const made: JsonValue[] = [];
    const planes = new Map<string, TestPlane>();
    const clusters = new Map<string, JsonValue>();
    this.format = compileFormat(logFormat);
    const text = { text_format_source: { inline_string: `%REQ(x-ask)% ${logFormat}\n` } };
    const logs = [
      ...Object.entries({ "access.log": text, ...more }).map(([file, format]) => this.accessLog(file, format)),
      ...Object.entries(filters).map(([file, filter]) => this.accessLog(file, idOnly, filter)),
    ];
    for (const [name, options] of Object.entries(listeners)) {
      planes.set(name, await this.fixtures.plane({ localCluster: "test-cluster", ...options }));
      const listener = listenerJson({
        ...options,
        // Ours always passes trailers on.
        manager: {
          http_protocol_options: { enable_trailers: true },
          ...options.manager,
          access_log: logs,
        },
      });
      listener.name = name;
      // Any port: one that was found free a moment ago may be another test's by the time Envoy listens.
      listener.address = { socket_address: { address: "127.0.0.1", port_value: 0 } };
      made.push(listener);
      for (const cluster of options.clusters ?? []) clusters.set(String((cluster as JsonObject).name), cluster);
    }
    const config = {
      admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
      node: { id: "test", cluster: "test-cluster" },
      static_resources: { listeners: made, clusters: [...clusters.values()] },
      ...bootstrap,
    };
    await this.spawn(config);
    const ports = await this.listening();
    for (const [name, ours] of planes) {
      const envoyPort = ports.get(name);
      if (envoyPort === undefined) throw new Error(`Envoy does not listen for ${name}`);
      this.sides.set(name, { ours, envoyPort });
    }
  }

  /** Port by listener, as Envoy bound them. */
  private async listening(): Promise<ReadonlyMap<string, number>> {
    const answer = await fetch(`http://${this.admin}/listeners?format=json`);
    const { listener_statuses = [] } = (await answer.json()) as {
      listener_statuses?: { name: string; local_address: { socket_address: { port_value: number } } }[];
    };
    return new Map(listener_statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value]));
  }

  private format = compileFormat("");

  /** Of Envoy alone: ours are read off the records. */
  private accessLog(file: string, log_format: JsonObject, filter?: JsonObject): JsonValue {
    return {
      name: "envoy.access_loggers.file",
      ...(filter && { filter }),
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        path: join(this.folder, file),
        log_format,
      },
    };
  }

  /** The line that Envoy wrote of the last request into another log, which has its id in it somewhere. */
  envoyLine(file: string): Promise<string> {
    const id = `ask-${this.asked}`;
    return found(() => wholeLines(join(this.folder, file)).find((line) => line.includes(`"${id}"`)));
  }

  private async spawn(config: object): Promise<void> {
    const path = join(this.folder, "envoy.json");
    const addressPath = join(this.folder, "admin");
    writeFileSync(path, JSON.stringify(config));
    const args = ["-c", path, "--admin-address-path", addressPath, "--concurrency", "1", "-l", "error"];
    this.child = spawn(envoyPath, [...args, "--use-dynamic-base-id", "--file-flush-interval-msec", "20"], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    const deadline = Date.now() + 60_000;
    while (this.child.exitCode === null && Date.now() < deadline) {
      if (existsSync(addressPath)) {
        this.admin = readFileSync(addressPath, "utf8");
        const ready = await fetch(`http://${this.admin}/ready`).catch(() => undefined);
        if (ready?.status === 200) return;
      }
      await after(20);
    }
    throw new Error(`Envoy does not start: ${this.child.exitCode ?? this.child.signalCode ?? "not ready in a minute"}`);
  }

  side(name: string): Beside {
    const side = this.sides.get(name);
    if (side === undefined) throw new Error(`no listener ${name}`);
    return side;
  }

  /** Asks both; `log` is the line that each wrote of it. */
  async ask(name: string, what: Ask): Promise<{ mine: Logged; theirs: Logged; record: RequestRecord }> {
    const { mine, theirs, record } = await this.both(name, (port, id) =>
      answerOf(port, { ...what, headers: { ...what.headers, "x-ask": id } }),
    );
    return { mine: { ...mine.answer, log: mine.log }, theirs: { ...theirs.answer, log: theirs.log }, record };
  }

  /** The same with bytes as they are; `$ASK` in them stands for the field with the id. */
  exchange<T>(name: string, text: string, send: (port: number, text: string) => Promise<T>) {
    return this.both(name, (port, id) => send(port, text.replace("$ASK", `x-ask: ${id}`)));
  }

  private async both<T>(
    name: string,
    send: (port: number, id: string) => Promise<T>,
  ): Promise<{ mine: { answer: T; log: string }; theirs: { answer: T; log: string }; record: RequestRecord }> {
    const { ours, envoyPort } = this.side(name);
    const id = `ask-${++this.asked}`;
    const mine = await send(ours.port, id);
    const record = await found(() => ours.records.find((each) => headerOf(each, "x-ask") === id));
    const theirs = await send(envoyPort, id);
    const line = await found(() =>
      wholeLines(join(this.folder, "access.log")).find((each) => each.startsWith(`${id} `)),
    );
    return {
      mine: { answer: mine, log: renderText(this.format, record, "-") },
      theirs: { answer: theirs, log: line.slice(id.length + 1) },
      record,
    };
  }

  /** Envoy's admin page. */
  async envoyAdmin(path: string, method = "GET"): Promise<string> {
    return (await fetch(`http://${this.admin}${path}`, { method })).text();
  }

  /** Counters that are not 0, on both sides, of names with a prefix. */
  async counters(
    name: string,
    prefix: string,
  ): Promise<{ mine: Record<string, number>; theirs: Record<string, number> }> {
    const mine = [...this.side(name).ours.stats.counters].filter(
      ([key, { value }]) => key.startsWith(prefix) && value > 0,
    );
    const lines = (await this.envoyAdmin("/stats?usedonly&type=Counters")).split("\n").map((line) => line.split(": "));
    const theirs = lines.filter(([key = "", value]) => key.startsWith(prefix) && value !== "0");
    return {
      mine: Object.fromEntries(mine.map(([key, { value }]) => [key, value]).sort()),
      theirs: Object.fromEntries(theirs.map(([key, value]) => [key, Number(value)]).sort()),
    };
  }

  /** Ends Envoy, which writes all that waits: after it a log has the whole of it. */
  async quitEnvoy(): Promise<void> {
    const exited = new Promise<void>((done) => this.child?.once("exit", () => done()));
    await this.envoyAdmin("/quitquitquit", "POST");
    await exited;
  }

  /** All that Envoy wrote into a log. */
  envoyLog(file: string): string[] {
    return wholeLines(join(this.folder, file));
  }

  close(): void {
    this.child?.kill();
    this.fixtures.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const idOnly: JsonObject = { text_format_source: { inline_string: "%REQ(x-ask)%\n" } };

const headerOf = ({ requestHeaders }: RequestRecord, name: string): string | undefined => {
  const index = requestHeaders.findIndex((each, i) => i % 2 === 0 && each === name);
  return index === -1 ? undefined : requestHeaders[index + 1];
};

async function found<T>(find: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const what = find();
    if (what !== undefined) return what;
    await after(5);
  }
  throw new Error("not there after 10 s");
}

/** One request on a connection of its own. */
async function answerOf(port: number, { method = "GET", path, headers, body }: Ask): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolved, rejected) => {
    const request = httpRequest(
      { port, host: "127.0.0.1", method, path, headers: { host: "a.test", ...headers }, agent: false },
      resolved,
    );
    request.on("error", rejected);
    request.end(body);
  });
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const lines: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const name = response.rawHeaders[i]?.toLowerCase() ?? "";
    if (!varying.has(name)) lines.push(`${name}: ${response.rawHeaders[i + 1]}`);
  }
  return {
    status: response.statusCode ?? 0,
    headers: lines.sort(),
    body: Buffer.concat(parts),
    trailers: response.trailers,
  };
}

const varying = new Set(["date", "x-envoy-upstream-service-time", "connection", "keep-alive"]);
