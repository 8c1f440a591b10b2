import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Command } from "commander";
import { afterEach, expect, it } from "vitest";
import type { SpanRow } from "../../query/reader.ts";
import { buildTrace } from "../../query/trace-tree.ts";
import type { CliIo } from "../config/io.ts";
import { registerTraces } from "./register.ts";

const traceId = "a".repeat(32);
const span = (
  spanId: string,
  parentSpanId: string,
  from: number,
  to: number,
  changes: Partial<SpanRow> = {},
): SpanRow => ({
  traceId,
  spanId,
  parentSpanId,
  service: "shop",
  name: `op-${spanId}`,
  kind: 2,
  startUs: from * 1000,
  durationUs: (to - from) * 1000,
  error: false,
  attributes: {},
  resource: {},
  traceState: "",
  statusMessage: "",
  scope: { name: "", version: "" },
  events: [],
  links: [],
  ...changes,
});
const trace = buildTrace([
  span("a", "", 0, 100),
  span("b", "a", 10, 40),
  span("c", "b", 12, 20, { error: true, statusMessage: "no" }),
  span("d", "a", 50, 90, { service: "db", resource: { "service.version": "v2" } }),
  span("e", "x", 60, 70),
]);

let server: Server | undefined;
afterEach(() => void server?.close());

/** Runs `limpid traces …` against a dashboard that answers with `answers`, by path. */
async function run(args: string[], answers: Record<string, unknown>) {
  const asked: string[] = [];
  server = createServer(({ url = "" }, response) => {
    asked.push(url);
    const answer = answers[url.split("?")[0] ?? ""];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { code: "NOT_FOUND", message: "There is no such trace." }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const said = { out: "", err: "", failed: false, asked };
  const io: CliIo = {
    out(text) {
      said.out += text;
    },
    err(text) {
      said.err += text;
    },
    stdin: async () => "",
    fail() {
      said.failed = true;
    },
    env: {},
  };
  const program = new Command().exitOverride();
  registerTraces(program, io);
  await program.parseAsync(["node", "limpid", "traces", ...args, "--dashboard", `http://127.0.0.1:${port}`]);
  return said;
}

it("lists what was found, and passes on the filters", async () => {
  const { tree: _tree, totals: _totals, gaps: _gaps, ...summary } = trace ?? { tree: [], totals: [], gaps: [] };
  const said = await run(["--service", "shop", "--min", "5", "--errors", "--tag", "a=b", "c=d e"], {
    "/api/traces": { fromMs: 0, toMs: 9, traces: [summary], full: false },
  });
  expect(said.out.split("\n")[1]).toMatch(/^a{32} {2}1970-01-01T00:00:00.000Z {2}100 ms {4}5 {6}1 {7}shop op-a$/);
  expect(Object.fromEntries(new URL(said.asked[0] ?? "", "http://x").searchParams)).toEqual({
    service: "shop",
    min: "5",
    errors: "true",
    tag: 'a=b "c=d e"',
    window: "3600",
    limit: "20",
  });
});

it("prints one as a tree", async () => {
  const said = await run([traceId], { [`/api/traces/${traceId}`]: trace });
  expect(said.out.replaceAll(/ +\n/g, "\n")).toBe(`trace ${traceId}
1970-01-01T00:00:00.000Z · 100 ms · 5 spans · 1 error

shop  op-a          +0.00 ms  100 ms   self 30 ms    *
├─ shop  op-b       +10 ms    30 ms    self 22 ms    *
│  └─ shop  op-c    +12 ms    8.00 ms  self 8.00 ms  * ! no
└─ db v2  op-d      +50 ms    40 ms    self 40 ms    *
(missing parent x)  +60 ms    10 ms    self 0.00 ms
└─ shop  op-e       +60 ms    10 ms    self 10 ms    *

SERVICE  SPANS  ERRORS  SELF   CRITICAL
shop     4      1       70 ms  70 ms
db       1      0       40 ms  40 ms
`);
});

it("gives JSON to programs, and says what is not there", async () => {
  expect(JSON.parse((await run([traceId, "-o", "json"], { [`/api/traces/${traceId}`]: trace })).out)).toEqual(trace);
  server?.close();
  expect(await run([traceId], {})).toMatchObject({ out: "", err: "error: There is no such trace.\n", failed: true });
});
