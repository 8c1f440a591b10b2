import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { expect, vi } from "vitest";
import { flagNames } from "../response-flags.ts";
import { Fixtures, type PlaneOptions, type TestPlane } from "../test-plane.ts";
import { RealEnvoy } from "./real-envoy.ts";
import { wholeLines } from "./whole-lines.ts";

/**
 * Bytes as they are, to real Envoy and to our data path with the same config and upstreams: what the client gets, what the upstream sees and what is logged must
 * agree.
 */
export class RawParity {
  readonly fixtures = new Fixtures();
  private readonly folder = mkdtempSync(join(tmpdir(), "parity-"));
  private readonly logPath = join(this.folder, "access.log");
  private readonly seen: string[] = [];
  private ours: TestPlane | undefined = undefined;
  private envoy: RealEnvoy | undefined = undefined;

  async start(options: PlaneOptions): Promise<void> {
    this.ours = await this.fixtures.plane(options);
    const manager = { ...options.manager, access_log: [fileLog(this.logPath)] };
    this.envoy = await RealEnvoy.start({ ...options, manager });
  }

  close(): void {
    this.envoy?.close();
    this.fixtures.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A server that tells what it was asked; paths that end in `/hang`, and `/duration`, get no answer, and those that begin with `/503` a bad one. */
  upstream(): Promise<number> {
    return this.fixtures.http((request, response) => {
      const names = Object.entries(request.headers).filter(([name]) => !["x-request-id", "host"].includes(name));
      let body = "";
      request.on("data", (bytes) => {
        body += bytes;
      });
      request.on("end", () => {
        const host = request.headers.host?.replace(/:\d+$/, "");
        this.seen.push(JSON.stringify([request.method, request.url, host, names.sort(), body]));
        if (request.url?.endsWith("/hang") || request.url === "/duration") return;
        response.statusCode = request.url?.startsWith("/503") ? 503 : 200;
        response.setHeader("x-multi", "1");
        response.end(`${request.method} ok`);
      });
    });
  }

  async compare(text: string): Promise<void> {
    const { mine, theirs } = this.ports();
    expect(await this.ask(mine, text)).toEqual(await this.ask(theirs, text));
  }

  /** @param expected in the line of both logs: `status flags details` */
  async compareLog(text: string, expected: string): Promise<void> {
    const { mine, theirs, plane } = this.ports();
    plane.records.length = 0;
    await this.ask(mine, text);
    const record = plane.lastRecord;
    const flags = flagNames(record.responseFlags).join(",") || "-";
    expect(`${record.responseCode} ${flags} ${record.responseCodeDetails}`).toContain(expected);
    const before = wholeLines(this.logPath).length;
    await this.ask(theirs, text);
    // Not just any line that is new: one of an earlier test may be late.
    const line = await vi.waitFor(
      () => {
        const found = wholeLines(this.logPath)
          .slice(before)
          .find((each) => each.includes(expected));
        if (found === undefined) throw new Error(`no line with ${expected}`);
        return found;
      },
      { timeout: 10_000 },
    );
    expect(`${record.requestBodyBytes} ${record.responseBodyBytes}`).toBe(line.split(" ").slice(-2).join(" "));
  }

  /** `HTTP/1.1 400` */
  async statuses(text: string): Promise<{ mine: string; theirs: string }> {
    const status = async (port: number) =>
      (await (await this.fixtures.client(port)).send(text).until((received) => received.includes("\r\n\r\n"))).slice(
        0,
        12,
      );
    const { mine, theirs } = this.ports();
    return { mine: await status(mine), theirs: await status(theirs) };
  }

  private ports(): { mine: number; theirs: number; plane: TestPlane } {
    const { ours, envoy } = this;
    if (ours === undefined || envoy === undefined) throw new Error("not started");
    return { mine: ours.port, theirs: envoy.port, plane: ours };
  }

  /** Sends raw bytes and gives the whole answer, made comparable. */
  private async ask(port: number, text: string): Promise<{ answer: string; upstream: string[] }> {
    this.seen.length = 0;
    const client = await this.fixtures.client(port);
    const received = await client.send(text).untilEnd();
    const [head = "", ...body] = received.split("\r\n\r\n");
    const [status, ...fields] = head.split("\r\n");
    const kept = fields
      .filter((field) => !/^(date|x-envoy-upstream-service-time):/.test(field))
      // Envoy says of an answer to HEAD that it would have been chunked; we repeat what the upstream said.
      .filter((field) => !(text.startsWith("HEAD") && field.startsWith("transfer-encoding")))
      .map((field) => field.replaceAll(`:${port}`, ":PORT").replace(/^(x-took: )\d{1,4}$/, "$1ms"))
      .sort();
    const answer = [status?.replace(/^(HTTP\/1.1 \d+).*/, "$1"), ...kept, "", body.join("\r\n\r\n")].join("\n");
    // What is left of the timeout for a retry depends on the clock.
    const upstream = this.seen.map((line) => line.replace(/(rq-timeout-ms",")1[45]\d{3}/, "$115000"));
    return { answer, upstream };
  }
}

const fileLog = (path: string): JsonObject => ({
  name: "envoy.access_loggers.file",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
    path,
    log_format: {
      text_format_source: {
        inline_string: "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT%\n",
      },
    },
  },
});

export const match = (path: string): JsonObject => ({ match: { path } });

export const add = (key: string, value: string, append_action = "APPEND_IF_EXISTS_OR_ADD"): JsonObject => ({
  header: { key, value },
  append_action,
});

/** A virtual host for every domain. */
export const everyHost = (routes: JsonValue[]): JsonObject => ({
  name: "all",
  domains: ["*"],
  include_request_attempt_count: true,
  request_headers_to_add: [add("x-order", "host"), add("x-set", "host", "OVERWRITE_IF_EXISTS_OR_ADD")],
  routes,
});

export const get = (path: string, headers = "", host = "a.test"): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`;
