import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Command } from "commander";
import { afterEach, expect, it } from "vitest";
import type { CliIo } from "../config/io.ts";
import { registerGraph } from "./graph.ts";
import { registerTop } from "./top.ts";

let server: Server | undefined;
afterEach(() => server?.close());

const signals = (requestRate: number, errorShare: number) => ({
  requestRate,
  errorShare,
  clientErrorShare: 0,
  latencyMsP50: 1,
  latencyMsP90: 2,
  latencyMsP95: 3.25,
  latencyMsP99: requestRate === 0 ? null : 400,
});
const node = (app: string, rate: number, errors: number) => ({
  id: `d/${app}/v1`,
  kind: "workload",
  namespace: "d",
  app,
  version: "v1",
  workload: null,
  box: null,
  health: "healthy",
  signals: signals(rate, errors),
  badges: [],
  services: [],
  idle: false,
});
const graph = {
  at: 1,
  windowSec: 10,
  nodes: [node("a", 1, 0.02), node("b", 9, 0), node("c", 0, 0)],
  edges: [
    {
      id: "1",
      source: "d/a/v1",
      target: "d/b/v1",
      service: "",
      to: null,
      protocol: "http",
      health: "healthy",
      signals: signals(1, 0),
      reported: { source: null, destination: null },
      codes: {},
      flags: {},
      mtls: 0,
    },
  ],
  timeline: { fromMs: 0, stepSec: 1, requestRate: [], errorShare: [], recordedFromMs: 0 },
  freshAt: null,
  silentSince: null,
};

async function run(...args: string[]): Promise<{ out: string; err: string; asked: string[] }> {
  const asked: string[] = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "application/json").end(JSON.stringify(graph));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const said = { out: "", err: "", asked };
  const io: CliIo = {
    out(text) {
      said.out += text;
    },
    err(text) {
      said.err += text;
    },
    stdin: async () => "",
    fail() {},
    env: {},
  };
  const program = new Command().exitOverride();
  registerTop(program, io, false);
  registerGraph(program, io);
  const { port } = server.address() as AddressInfo;
  await program.parseAsync(["node", "limpid", ...args, "--dashboard", `http://127.0.0.1:${port}`]);
  return said;
}

it("shows the busiest first, or what fails", async () => {
  const { out, asked } = await run("top", "--by", "workload");
  expect(asked).toEqual(["/api/graph?window=10"]);
  expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["WORKLOAD", "HEALTH", "RPS", "ERRORS", "P50", "P95", "P99"],
    ["d/b/v1", "healthy", "9.0", "0.0 %", "1.0 ms", "3.3 ms", "400 ms"],
    ["d/a/v1", "healthy", "1.0", "2.00 %", "1.0 ms", "3.3 ms", "400 ms"],
    ["d/c/v1", "healthy", "0.0", "-", "1.0 ms", "3.3 ms", "-"],
    [""],
  ]);
  expect((await run("top", "--by", "workload", "--sort", "errors", "-n", "1")).out).toContain("d/a/v1");
  expect((await run("top", "--by", "edge")).out).toContain("d/a/v1 → d/b/v1");
  expect((await run("top", "-n", "0")).err).toBe("error: -n 0: must be a whole number from 1\n");
});

it("prints the graph in each form", async () => {
  expect(JSON.parse((await run("graph", "-o", "json", "--window", "900")).out).at).toBe(1);
  expect((await run("graph")).out).toMatch(/^digraph mesh \{/);
  expect((await run("graph", "-o", "mermaid")).out).toMatch(/^flowchart LR/);
});
