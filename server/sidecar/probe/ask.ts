import { execFile } from "node:child_process";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Metadata, status } from "@grpc/grpc-js";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../gen/proto/grpc/health/v1/health_pb.js";
import { makeClient } from "../../lib/grpc.ts";

/** How a workload is asked whether it is well. */
export type ProbeMethod =
  | {
      kind: "http";
      host: string;
      port: number;
      path: string;
      tls: boolean;
      headers: readonly { name: string; value: string }[];
    }
  | { kind: "tcp"; host: string; port: number }
  | { kind: "grpc"; host: string; port: number; service: string }
  | { kind: "exec"; command: readonly string[] };

/** What is wrong with it, in a few words; undefined: it is well. Never rejects. */
export function ask(method: ProbeMethod, timeoutMs: number): Promise<string | undefined> {
  switch (method.kind) {
    case "http":
      return askHttp(method, timeoutMs);
    case "tcp":
      return askTcp(method, timeoutMs);
    case "grpc":
      return askGrpc(method, timeoutMs);
    case "exec":
      return askCommand(method, timeoutMs);
  }
}

type Of<K extends ProbeMethod["kind"]> = Extract<ProbeMethod, { kind: K }>;

const usualAgent = "limpid-probe";
const tooLate = (timeoutMs: number): string => `no answer within ${timeoutMs / 1000} s`;
const words = (error: Error): string => error.message || ((error as NodeJS.ErrnoException).code ?? "failed");

/** Statuses from 200 to 399 are well; the certificate is looked at by nobody, as kubelet does it. */
function askHttp({ host, port, path, tls, headers }: Of<"http">, timeoutMs: number): Promise<string | undefined> {
  const all: Record<string, string[]> = {};
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    all[key] = [...(all[key] ?? []), value];
  }
  return new Promise((resolve) => {
    const make = tls ? httpsRequest : httpRequest;
    const request = make(
      {
        host,
        port,
        path,
        agent: false,
        headers: { "user-agent": usualAgent, connection: "close", ...all, ...(all.host && { host: all.host[0] }) },
        ...(tls && { rejectUnauthorized: false }),
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.destroy();
        resolve(statusCode >= 200 && statusCode < 400 ? undefined : `${path} answered ${statusCode}`);
      },
    );
    request.on("error", (error) => resolve(error.name === "AbortError" ? tooLate(timeoutMs) : words(error)));
    request.end();
  });
}

function askTcp({ host, port }: Of<"tcp">, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (problem: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => done(tooLate(timeoutMs)), timeoutMs);
    socket.on("connect", () => done(undefined));
    socket.on("error", (error) => done(words(error)));
  });
}

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
function askGrpc({ host, port, service }: Of<"grpc">, timeoutMs: number): Promise<string | undefined> {
  const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const client = makeClient(Health, target, { "grpc.use_local_subchannel_pool": 1 });
  return new Promise((resolve) => {
    client.check(
      create(HealthCheckRequestSchema, { service }),
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, response?: HealthCheckResponse) => {
        client.close();
        if (error) {
          const late = error.code === status.DEADLINE_EXCEEDED;
          resolve(late ? tooLate(timeoutMs) : `${status[error.code] ?? error.code}: ${error.details}`);
        } else if (response?.status === Serving.SERVING) resolve(undefined);
        else resolve(`${service || "the server"} is ${Serving[response?.status ?? Serving.UNKNOWN]}`);
      },
    );
  });
}

function askCommand({ command: [file = "", ...args] }: Of<"exec">, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 64 * 1024 }, (error) => {
      if (error === null) resolve(undefined);
      else if (error.killed) resolve(tooLate(timeoutMs));
      else resolve(typeof error.code === "number" ? `${file} ended with ${error.code}` : words(error));
    });
  });
}
