import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeEach } from "vitest";
import { stringify } from "yaml";
import { type ApiHarness, startApi } from "../../../control-plane/api/testing/api-harness.ts";
import { registerConfigCommands } from "../register.ts";

interface Run {
  code: number;
  out: string;
  err: string;
}

interface RunOptions {
  stdin?: string;
  server?: string;
  signal?: AbortSignal;
  env?: Record<string, string>;
}

/** The commands of config against an API of their own for each test; `reviews` has two versions. */
export function limpidCommands() {
  const folder = mkdtempSync(join(tmpdir(), "limpid-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let api: ApiHarness;
  beforeEach(async () => {
    const service = {
      namespace: "default",
      name: "reviews",
      hostname: "reviews.default.svc.cluster.local",
      external: false,
      ports: [],
      versions: ["v1", "v2"].map((version) => ({ version, subset: null, workloads: [], endpoints: [] })),
      virtualServices: [],
      destinationRules: [],
    };
    api = await startApi({ services: async () => [service] });
  });
  afterEach(() => api.close());

  async function limpid(args: string, options: RunOptions = {}): Promise<Run> {
    const run: Run = { code: 0, out: "", err: "" };
    const program = new Command("limpid").exitOverride();
    registerConfigCommands(program, {
      out: (text) => {
        run.out += text;
      },
      err: (text) => {
        run.err += text;
      },
      stdin: async () => options.stdin ?? "",
      fail: (code = 1) => {
        run.code = code;
      },
      env: { LIMPID_SERVER: options.server ?? api.url, ...options.env },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    await program.parseAsync(args.split(" "), { from: "user" });
    return run;
  }

  function file(name: string, ...objects: unknown[]): string {
    const path = join(folder, name);
    writeFileSync(
      path,
      objects.map((object) => (typeof object === "string" ? object : stringify(object))).join("---\n"),
    );
    return path;
  }

  return {
    limpid,
    file,
    folder,
    /** Of this test. */
    get api() {
      return api;
    },
  };
}
