import { expect, it } from "vitest";
import type { AdminClient } from "../fleet/admin-client.ts";
import { createProxyAdmins, levelIn, statsIn } from "./proxy-admin.ts";

it("reads the level that all loggers have, or that they differ", () => {
  expect(levelIn("active loggers:\n  sidecar: info\n\n")).toBe("info");
  expect(levelIn("active loggers:\n  admin: warning\n  aws: warning\n")).toBe("warning");
  expect(levelIn("active loggers:\n  admin: warning\n  http: debug\n")).toBe("mixed");
  expect(levelIn("")).toBeNull();
});

it("reads stats, also values with colons", () => {
  expect(statsIn("cluster.a.upstream_rq_total: 7\nserver.version: 1\nh: P0(1,1) P25: x\n")).toEqual([
    { name: "cluster.a.upstream_rq_total", value: "7" },
    { name: "server.version", value: "1" },
    { name: "h", value: "P0(1,1) P25: x" },
  ]);
});

/** A bundled sidecar as its admin answers: it tells only the level of now. */
function sidecar() {
  let level = "info";
  const admin: AdminClient = {
    async call(_node, method, path) {
      const wanted = new URL(path, "http://admin").searchParams.get("level");
      if (path.startsWith("/logging") && method !== "POST") return { status: 405, text: "POST it" };
      if (wanted) level = wanted;
      if (path.startsWith("/logging")) return { status: 200, text: `active loggers:\n  sidecar: ${level}\n\n` };
      if (path === "/stats") return { status: 200, text: "a.x: 1\na.y: 2\nb.x: 3\n" };
      return { status: 200, text: JSON.stringify({ version: "limpid-sidecar/0.1.0", uptime_current_epoch: "75s" }) };
    },
  };
  return createProxyAdmins({ held: async () => undefined, admin });
}

it("sets a log level and goes back to how the proxy was started", async () => {
  const admins = sidecar();
  expect(await admins.proxyAdmin("one")).toMatchObject({
    problem: null,
    logLevel: "info",
    usualLevel: "info",
    uptimeSec: 75,
  });
  expect(await admins.setLogLevel("one", "debug")).toMatchObject({ logLevel: "debug", usualLevel: "info" });
  expect(await admins.setLogLevel("one", "trace")).toMatchObject({ logLevel: "trace", usualLevel: "info" });
  expect(await admins.setLogLevel("one", null)).toMatchObject({ logLevel: "info" });
});

it("finds stats by words", async () => {
  expect((await sidecar().proxyStats("one", "A x")).stats).toEqual([{ name: "a.x", value: "1" }]);
});

it("says why a proxy can't be asked", async () => {
  const admins = createProxyAdmins({ held: async () => undefined, admin: { call: async () => undefined } });
  expect((await admins.proxyAdmin("far")).problem).toContain("can't be reached from here");
  await expect(admins.setLogLevel("far", "debug")).rejects.toMatchObject({ code: "INVALID", reason: "admin-silent" });
  await expect(admins.proxyTables("far")).rejects.toMatchObject({ code: "NOT_FOUND" });
});
