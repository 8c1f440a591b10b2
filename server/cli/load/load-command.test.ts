import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Command } from "commander";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LoadReport } from "../../contract/index.ts";
import type { CliIo } from "../config/io.ts";
import { registerLoad } from "./register.ts";

/** A target, and a dashboard that keeps what it is given. */
let server: Server;
let base = "";
let kept: LoadReport[] = [];
const hosts = new Set<string | undefined>();

beforeEach(async () => {
  kept = [];
  hosts.clear();
  server = createServer(async (request, response) => {
    const { url = "" } = request;
    if (!url.startsWith("/api/")) {
      hosts.add(request.headers.host);
      response.writeHead(url === "/bad" ? 503 : 200).end();
      return;
    }
    const send = (value: unknown) => response.end(JSON.stringify(value));
    if (request.method === "POST") {
      let body = "";
      for await (const chunk of request) body += chunk;
      const id = `${kept.length + 1}${"0".repeat(7)}`;
      const revision = { from: kept.length + 1, to: kept.length + 1 };
      kept.unshift({ ...JSON.parse(body), id, author: "ada", revision });
      send(kept[0]);
    } else if (url === "/api/load-targets") {
      const way = { namespace: "default", origin: base, protocols: ["http1"], hosts: [] };
      send({ targets: [{ ...way, kind: "workload", name: "productpage-v1" }] });
    } else if (url.startsWith("/api/changes")) {
      const change = {
        at: 0,
        author: "ada",
        summary: "reviews 100/0 → 50/50",
        words: [],
        kind: "traffic",
        objects: [],
      };
      send({ now: 0, changes: [3, 2, 1].map((revision) => ({ ...change, revision })) });
    } else if (url === "/api/load-tests") send({ now: 0, running: null, reports: kept });
    else send(kept.find(({ id }) => url.endsWith(id)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function limpid(...args: string[]): Promise<{ out: string; err: string; failed: boolean }> {
  const seen = { out: "", err: "", failed: false };
  const io: CliIo = {
    out(text) {
      seen.out += text;
    },
    err(text) {
      seen.err += text;
    },
    stdin: async () => "",
    fail() {
      seen.failed = true;
    },
    env: {},
  };
  const program = new Command("limpid").exitOverride();
  registerLoad(program, io);
  await program.parseAsync(["load", ...args, "--dashboard", base], { from: "user" });
  return seen;
}
const short = ["-r", "50", "-d", "1s", "--arrivals", "constant"];

it("goes through a workload's proxy by the name that services know, and is kept", async () => {
  const { out, failed } = await limpid("--from", "productpage-v1", "http://reviews:9080/reviews/0", ...short);
  expect(failed).toBe(false);
  expect(hosts).toEqual(new Set(["reviews:9080"]));
  expect(out).toContain("50 due, 50 answered (50.0/s), 0.0 % failed: 200 × 50\n");
  expect(out).toContain("kept as 10000000\n");
  const listed = await limpid("list");
  expect(listed.err).toBe("");
  expect(listed.out).toMatch(/^10000000 {2}.*GET http:.*\/reviews\/0 {2}50\/s {2}1 s/m);
});

it("fails where a limit is broken, and beside an earlier run", async () => {
  await limpid(`${base}/`, ...short);
  const worse = await limpid(`${base}/bad`, ...short, "--max-failed", "1", "--max-p99", "30s", "--baseline", "1");
  expect(worse.failed).toBe(true);
  expect(worse.err).toContain("error: --max-failed 1 does not hold\n");
  expect(worse.err).not.toContain("max-p99");
  expect(worse.out).toContain("100.0 % failed: 503 × 50\nthen: 50 due, 50 answered");
  const compared = await limpid("compare", "2", "1");
  expect(compared).toMatchObject({ err: "", failed: false });
  expect(compared.out).toContain("latency then");
  expect(compared.out).toContain("changed between the two:\n2  1970-01-01 00:00:00  reviews 100/0 → 50/50  ada\n");
});

it("says what is wrong before it sends anything", async () => {
  const { err, failed } = await limpid(`${base}/`, "-r", "9999", "-d", "2h", "--header", "a: b");
  expect(failed).toBe(true);
  expect(err.match(/error: --\w+/g)).toEqual(["error: --rate", "error: --duration"]);
  expect((await limpid("--from", "nobody", "http://x/", ...short)).err).toContain(
    "no connected proxy is called so; there are default/productpage-v1",
  );
  expect((await limpid(`${base}/`, ...short, "--max-failed", "101")).err).toContain("a percentage from 0 to 100");
  expect(hosts.size).toBe(0);
});

it("its help shows no default where there is none", () => {
  const program = new Command();
  registerLoad(program);
  expect(program.commands[0]?.helpInformation()).not.toContain("[]");
});
