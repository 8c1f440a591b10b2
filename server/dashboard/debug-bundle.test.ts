import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ProxyList, ProxySync } from "../contract/index.ts";
import { debugBundle } from "./debug-bundle.ts";

const proxy = (name: string, connected: boolean) =>
  ({
    id: `sidecar~127.0.1.1~${name}.default~x`,
    name,
    namespace: "default",
    address: "127.0.1.1",
    connected,
  }) as ProxySync;

function sources() {
  const data = mkdtempSync(join(tmpdir(), "limpid-bundle-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  mkdirSync(join(data, "logs"));
  writeFileSync(join(data, "logs/reviews-v1-proxy.log"), `${"x".repeat(300_000)}\nthe last line\n`);
  writeFileSync(join(data, "logs/control-plane.log"), "started\n");
  const list: ProxyList = { at: 1, revision: 1, proxies: [proxy("reviews-v1", true), proxy("gone", false)] };
  const made = {
    proxies: async () => list,
    config: async () => [{ name: "default", config: { privateKey: "[redacted]" } }],
    admin: { call: async (_: string, __: string, path: string) => ({ status: 200, text: `of ${path}\n` }) },
    mesh: {
      "mesh.yaml": async () => "kind: Gateway\n",
      "pushes.json": () => Promise.reject(new Error("nobody answers")),
    },
    data,
    now: () => Date.UTC(2026, 10, 29, 1, 2, 3),
  };
  return { made, list, data };
}

async function unpacked(of: { name: string; data: Buffer }): Promise<(file: string) => string> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-unpacked-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, of.name), of.data);
  execFileSync("tar", ["-xzf", of.name], { cwd: folder });
  return (file) => readFileSync(join(folder, of.name.replace(".tar.gz", ""), file), "utf8");
}

it("has the mesh and each proxy, and says what could not be had", async () => {
  const bundle = await debugBundle(sources().made);
  expect(bundle.name).toBe("limpid-mesh-2026-11-29-01-02-03.tar.gz");
  const read = await unpacked(bundle);
  expect(read("mesh.yaml")).toBe("kind: Gateway\n");
  expect(JSON.parse(read("pushes.json"))).toEqual({ unavailable: "nobody answers" });
  expect(read("proxies/default.reviews-v1.127.0.1.1/stats.txt")).toBe("of /stats\n");
  expect(JSON.parse(read("proxies/default.gone.127.0.1.1/config.json"))).toEqual({ unavailable: "not connected" });
  expect(read("logs/reviews-v1-proxy.log").endsWith("the last line\n")).toBe(true);
  expect(read("logs/reviews-v1-proxy.log").length).toBe(256 * 1024);
});

it("has one proxy alone, with its own logs", async () => {
  const { made, list } = sources();
  const read = await unpacked(await debugBundle(made, list.proxies[0]?.id));
  expect(JSON.parse(read("manifest.json")).proxies).toEqual([list.proxies[0]?.id]);
  expect(() => read("logs/control-plane.log")).toThrow();
  expect(read("logs/reviews-v1-proxy.log")).toContain("the last line");
});
