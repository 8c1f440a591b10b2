import { statSync } from "node:fs";
import { get, type RequestOptions } from "node:http";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { meshPorts, workloadPorts } from "../server/fleet/ports.ts";
import { launchBrowser } from "./browser.ts";
import { startLoad } from "./campaign/load.ts";
import { apiOf } from "./config.ts";
import { faultJourney } from "./fault-journey.ts";
import { eventually, isRunning, startMesh, type TestMesh } from "./mesh.ts";
import { mutualTlsJourney } from "./mutual-tls-journey.ts";
import { runningOn } from "./running.ts";
import { sliderJourney } from "./slider-journey.ts";
import { browser as chromium, envoy } from "./tools.ts";

// What keeps us honest: nothing in control plane, telemetry or dashboard may know which of the two proxies it talks to.
describe.skipIf(envoy.missing)(`a fleet of real Envoys${envoy.reason}`, () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startMesh(["--proxy", "envoy"], 120_000);
  });
  afterAll(async () => {
    await mesh?.stop();
  });

  test("every proxy is an Envoy, and none refuses anything", async () => {
    expect((await mesh.status()).proxy).toBe("envoy");
    const push = await eventually(() => apiOf(mesh).push("latest"), 60_000, "a push");
    expect(push.proxies.map(({ error }) => error)).toEqual(push.proxies.map(() => null));
  });

  test("an Envoy's admin is on a Unix socket of its owner's, and on no port that a web page could reach", async () => {
    const ports = workloadPorts(1, mesh.portOffset);
    await expect(fetch(`http://${ports.ip}:${ports.admin}/ready`)).rejects.toThrow();
    const socketPath = join(mesh.data, "run", "productpage-v1.admin.sock");
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    // Pages of it that others need are on listeners of their own, under this machine's names only.
    const health = (host: string) => statusOf({ host: ports.ip, port: ports.health, path: "/healthz/ready" }, host);
    expect(await statusOf({ socketPath, path: "/ready" }, "localhost")).toBe(200);
    expect([await health(`${ports.ip}:${ports.health}`), await health("evil.example")]).toEqual([200, 404]);
  });

  test.each(["istio-ingressgateway", "productpage-v1 proxy"])(
    "a planned restart of %s loses no request",
    async (name) => {
      const { gateway, configApi, fleet } = meshPorts(mesh.portOffset);
      const part = async () => (await mesh.status()).parts.find((each) => each.name === name);
      const load = await startLoad(gateway, configApi);
      try {
        const before = (await part())?.pid;
        const sent = load.counts().sent;
        await fetch(`http://127.0.0.1:${fleet}/v1/restart?part=${encodeURIComponent(name)}`, { method: "POST" });
        const isNew = async () => {
          const now = await part();
          return now?.state === "ready" && now.pid !== before;
        };
        await eventually(isNew, 60_000, `${name} has another process`);
        const after = load.counts().sent;
        expect(after).toBeGreaterThan(sent);
        await eventually(() => load.counts().sent > after + 50, 60_000, "requests after the restart");
        expect(load.counts().reasons).toEqual({});
      } finally {
        await load.stop();
      }
    },
  );

  describe.skipIf(chromium.missing)(`slider and fault${chromium.reason}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
    });
    sliderJourney(() => runningOn(mesh, browser));
    faultJourney(() => runningOn(mesh, browser));
    mutualTlsJourney(() => runningOn(mesh, browser));
  });

  test("a killed supervisor takes the Envoys along", async () => {
    const pids = (await mesh.status()).parts.flatMap(({ pid }) => pid ?? []);
    mesh.process.kill("SIGKILL");
    await eventually(() => pids.every((pid) => !isRunning(pid)), 60_000, "every part has ended");
  });
});

const statusOf = (options: RequestOptions, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ ...options, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once("error", reject);
  });
