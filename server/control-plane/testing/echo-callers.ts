import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Client, credentials, Metadata, makeClientConstructor, type ServiceError, status } from "@grpc/grpc-js";
import { echo } from "./echo.ts";
import type { Closers } from "./scenario.ts";

/** What came of a call with these headers: an answer, or a status. */
export type Ask = (headers?: Record<string, string>) => Promise<string>;

export interface CallerOptions {
  closers: Closers;
  /** `xds:///<host>:<port>` */
  target: string;
  node: string;
  xdsPort: number;
}

/** What a gRPC application without a proxy is told at its start. https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md */
const bootstrapOf = ({ node: id, xdsPort }: CallerOptions) =>
  JSON.stringify({
    xds_servers: [
      { server_uri: `127.0.0.1:${xdsPort}`, channel_creds: [{ type: "insecure" }], server_features: ["xds_v3"] },
    ],
    authorities: {},
    certificate_providers: {},
    node: { id, cluster: "caller", locality: {}, metadata: { GENERATOR: "grpc" } },
  });

interface EchoClient extends Client {
  say(
    text: string,
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, answer?: string) => void,
  ): void;
}

/** grpc-js' own xDS client, which nobody here wrote. */
export async function startNodeCaller(options: CallerOptions): Promise<Ask> {
  // By the channel, and not by the environment: the variable is read once for the whole process.
  const settings = { "grpc.TEST_ONLY_DO_NOT_USE_IN_PROD.xds_bootstrap_config": bootstrapOf(options) };
  const { register } = await import("@grpc/grpc-js-xds");
  register();
  const Caller = makeClientConstructor(echo, "Echo");
  const client = new Caller(options.target, credentials.createInsecure(), settings) as unknown as EchoClient;
  options.closers.push(() => client.close());
  return (headers = {}) =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      client.say("hello", metadata, { deadline: Date.now() + 5_000 }, (error, answer) =>
        resolve(error ? (status[error.code] ?? "") : (answer ?? "")),
      );
    });
}

/** grpcio's: gRPC's core, as C++, Python, PHP and Ruby have it. Calls one after the other. */
export async function startPythonCaller(python: string, options: CallerOptions): Promise<Ask> {
  const child = spawn(python, [join(import.meta.dirname, "echo_caller.py"), options.target], {
    env: { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: bootstrapOf(options) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  options.closers.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const answers: ((answer: string) => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => answers.shift()?.(JSON.parse(line) as string));
  return (headers = {}) =>
    new Promise((resolve) => {
      answers.push(resolve);
      child.stdin.write(`${JSON.stringify(headers)}\n`);
    });
}
