// Set-up shared by tests that ask real Envoy and our data plane the same: one config, two proxies, and what each answered, sent on and logged.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { shortFlags } from "./response-flags.ts";
import { eventually, Fixtures, listenerJson, type PlaneOptions, RawClient, type TestPlane } from "./test-plane.ts";

const envoy = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../.build/envoy/envoy/_bin/envoy");
export const missingEnvoy = !existsSync(envoy);
if (missingEnvoy && process.env.CI) throw new Error(`no Envoy at ${envoy}`);

/** What one proxy made of a request. */
export interface Outcome {
  /** Status, fields in order of their names, body. */
  readonly answer: string;
  /** `status flags details`, of the access log. */
  readonly log: string;
  /** Dynamic metadata, of the access log. */
  readonly metadata: unknown;
}

/** Real Envoy and our data plane with one and the same config. */
export class Twins {
  readonly ours: TestPlane;
  private readonly envoyPort: number;
  private readonly adminPort: number;
  private readonly logPath: string;
  private readonly namespace: string;
  private asked = 0;

  private constructor(ours: TestPlane, ports: readonly [number, number], logPath: string, namespace: string) {
    this.ours = ours;
    this.namespace = namespace;
    [this.envoyPort, this.adminPort] = ports;
    this.logPath = logPath;
  }

  /** @param namespace whose dynamic metadata is compared */
  static async start(fixtures: Fixtures, options: PlaneOptions, namespace = "none"): Promise<Twins> {
    const ours = await fixtures.plane(options);
    const folder = mkdtempSync(join(tmpdir(), "twins-"));
    fixtures.onClose(() => rmSync(folder, { recursive: true, force: true }));
    const ports = [await freePort(), await freePort()] as const;
    const logPath = join(folder, "access.log");
    const config = envoyConfig(options, ports, logPath, namespace);
    const path = join(folder, "envoy.json");
    writeFileSync(path, JSON.stringify(config));
    const child = spawn(
      envoy,
      ["-c", path, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id", "--file-flush-interval-msec", "20"],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    fixtures.onClose(() => child.kill());
    await ready(ports[1], child);
    return new Twins(ours, ports, logPath, namespace);
  }

  /** Sends the same bytes to both; `$CASE` stands for a field that tells this request from all others. */
  async ask(text: string): Promise<{ ours: Outcome; envoys: Outcome }> {
    const id = `${++this.asked}`;
    const asked = text.replace("$CASE", `x-case: ${id}`);
    return { ours: await this.askOurs(asked, id), envoys: await this.askEnvoy(asked, id) };
  }

  private async askOurs(text: string, id: string): Promise<Outcome> {
    const answer = await answerOf(this.ours.port, text);
    const find = () =>
      this.ours.records.find(({ requestHeaders }) => {
        const at = requestHeaders.indexOf("x-case");
        return at !== -1 && requestHeaders[at + 1] === id;
      });
    await eventually(() => find() !== undefined, `our record of ${id}`);
    const record = find();
    if (record === undefined) throw new Error("no record");
    const log = `${record.responseCode} ${shortFlags(record.responseFlags)} ${record.responseCodeDetails}`;
    return { answer, log, metadata: plain(record.dynamicMetadata?.[this.namespace]) };
  }

  private async askEnvoy(text: string, id: string): Promise<Outcome> {
    const answer = await answerOf(this.envoyPort, text);
    const find = () =>
      existsSync(this.logPath)
        ? readFileSync(this.logPath, "utf8")
            .split("\n")
            .slice(0, -1)
            .find((line) => line.startsWith(`${id} `))
        : undefined;
    await eventually(() => find() !== undefined, `Envoy's line of ${id}`);
    const [, code, flags, details, ...metadata] = (find() ?? "").split(" ");
    const noted = metadata.join(" ");
    return { answer, log: `${code} ${flags} ${details}`, metadata: noted === "-" ? undefined : JSON.parse(noted) };
  }

  /** Where both listen. */
  get ports(): { readonly ours: number; readonly envoys: number } {
    return { ours: this.ours.port, envoys: this.envoyPort };
  }

  /** A counter of both. */
  async counters(name: string): Promise<{ ours: number; envoys: number }> {
    const stats = await (
      await fetch(`http://127.0.0.1:${this.adminPort}/stats?filter=^${encodeURIComponent(name)}$`)
    ).text();
    return { ours: this.ours.counter(name), envoys: Number(stats.split(": ")[1] ?? 0) };
  }
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function envoyConfig(
  options: PlaneOptions,
  [port, adminPort]: readonly [number, number],
  path: string,
  namespace: string,
): JsonObject {
  const format = `%REQ(x-case)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(${namespace})%\n`;
  const log = {
    name: "envoy.access_loggers.file",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
      path,
      log_format: { text_format_source: { inline_string: format } },
    },
  };
  const listener = listenerJson({ ...options, manager: { ...options.manager, access_log: [log] } });
  listener.address = { socket_address: { address: "127.0.0.1", port_value: port } };
  return {
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
    static_resources: { listeners: [listener], clusters: options.clusters ?? [] },
  };
}

async function freePort(): Promise<number> {
  const probe = new Fixtures();
  const port = await probe.tcp(() => {});
  probe.close();
  return port;
}

/** Asks its admin, so that its listeners have seen nobody when the test begins. */
async function ready(adminPort: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const live = await fetch(`http://127.0.0.1:${adminPort}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (live) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("Envoy does not start");
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
