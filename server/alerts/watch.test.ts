import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { ProxyList } from "../contract/index.ts";
import { Courier } from "./courier.ts";
import { Receivers } from "./receivers.ts";
import { AlertWatch } from "./watch.ts";

let folder = "";
let server: Server;
let url = "";
let status = 200;
let now = 0;
let gone = false;
const got: { headers: Record<string, unknown>; body: Record<string, unknown> }[] = [];
const errors: unknown[] = [];
const stop = new AbortController();

beforeEach(async () => {
  [status, now, gone] = [200, 1_000_000, false];
  got.length = 0;
  errors.length = 0;
  folder = mkdtempSync(join(tmpdir(), "limpid-alerts-"));
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    if (status === 200) got.push({ headers: request.headers, body: JSON.parse(text) });
    response.writeHead(status, status === 302 ? { location: "http://203.0.113.1/" } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const proxies = async (): Promise<Pick<ProxyList, "proxies">> => ({
  proxies: [
    {
      id: "sidecar~a",
      namespace: "default",
      name: "a-v1",
      connected: !gone,
      disconnectedAt: gone ? 5 : null,
      types: {},
    },
  ] as unknown as ProxyList["proxies"],
});

function open(rules: () => readonly ConfigObject[] = () => []) {
  const receivers = new Receivers(join(folder, "receivers.json"));
  const watch = new AlertWatch({
    ...{ rules: async () => rules(), services: async () => ({ at: 0, windowSec: 60, services: [] }), proxies },
    ...{ rootNamespace: "istio-system", path: join(folder, "alerts.json"), now: () => now },
    onError: (error) => errors.push(error),
  });
  const courier = new Courier({
    ...{ receivers, page: "http://127.0.0.1:3000/alerts", now: () => now, signal: stop.signal, waits: [1, 1] },
    onChange: () => watch.save(),
  });
  const lookAt = async (seconds: number): Promise<void> => {
    now = 1_000_000 + seconds * 1000;
    await watch.look(courier);
  };
  return { receivers, watch, courier, lookAt };
}

it("a proxy that goes is told of once, and once that it is back; Alertmanager's form and Slack's", async () => {
  const { receivers, watch, lookAt } = open();
  receivers.put({ name: "hook", kind: "webhook", url, authorization: "Bearer t0ken" });
  receivers.put({ name: "slack", kind: "slack", url });
  gone = true;
  for (const second of [0, 29, 30, 35, 40]) await lookAt(second);
  await vi.waitFor(() => expect(got).toHaveLength(2));
  const hook = got.find(({ body }) => "alerts" in body);
  expect(hook?.headers.authorization).toBe("Bearer t0ken");
  expect(hook?.body).toMatchObject({
    version: "4",
    status: "firing",
    alerts: [{ labels: { alertname: "proxies-missing", proxy: "a-v1", severity: "critical" } }],
  });
  expect(got.find(({ body }) => "text" in body)?.body.text).toMatch(
    /^\*Critical\* default\/a-v1: the proxy is gone since /,
  );
  gone = false;
  for (const second of [45, 75]) await lookAt(second);
  await vi.waitFor(() => expect(got).toHaveLength(4));
  expect(got.filter(({ body }) => body.status === "resolved" || /^\*Cleared\*/.test(String(body.text)))).toHaveLength(
    2,
  );
  await vi.waitFor(() =>
    expect(watch.alerts().over[0]?.deliveries.map(({ state }) => state)).toEqual(["sent", "sent", "sent", "sent"]),
  );
  expect(errors).toEqual([]);
});

it("what was not taken is tried again, then told as failed, without the address; and survives a restart", async () => {
  const first = open();
  first.receivers.put({ name: "hook", kind: "webhook", url });
  status = 302;
  gone = true;
  for (const second of [0, 30]) await first.lookAt(second);
  await vi.waitFor(() =>
    expect(first.watch.alerts().active[0]?.deliveries).toMatchObject([{ state: "failed", why: "answered 302" }]),
  );
  expect(first.receivers.shown()).toMatchObject([{ name: "hook", last: { ok: false, why: "answered 302" } }]);
  expect(JSON.stringify(first.receivers.shown())).not.toContain("s3cret");
  expect(statSync(join(folder, "receivers.json")).mode & 0o777).toBe(0o600);
  // As a process leaves it that ends while a message waits.
  const path = join(folder, "alerts.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"failed"', '"waiting"'));
  status = 200;
  const second = open();
  second.courier.resume(second.watch.alerts().active);
  await vi.waitFor(() => expect(got).toHaveLength(1));
  await second.lookAt(35);
  expect(second.watch.alerts().active).toHaveLength(1);
});

it("a file that can't be read is told of, and not the end", () => {
  writeFileSync(join(folder, "alerts.json"), "{");
  expect(open().watch.alerts().active).toEqual([]);
  expect(errors).toHaveLength(1);
});

it("a rule that is muted tells these pages alone, and receivers of what still lasts when it is heard again", async () => {
  const muted: ConfigObject = {
    ...{ apiVersion: "limpid.dev/v1alpha1", kind: "AlertRule" },
    metadata: { namespace: "istio-system", name: "proxies-missing" },
    spec: { when: { proxies: { states: ["Disconnected"] } }, for: "0s", mutedUntil: new Date(1_060_000).toISOString() },
  };
  const { receivers, watch, lookAt } = open(() => [muted]);
  receivers.put({ name: "hook", kind: "webhook", url });
  gone = true;
  await lookAt(0);
  expect(watch.alerts().active).toMatchObject([{ rule: "proxies-missing", muted: true, deliveries: [] }]);
  await lookAt(59);
  expect(got).toHaveLength(0);
  await lookAt(60);
  await vi.waitFor(() => expect(got).toHaveLength(1));
  await lookAt(65);
  expect(watch.alerts().active).toMatchObject([{ muted: false, deliveries: [{ phase: "fired" }] }]);
});

it("muting a rule that is built in ends nothing that it told of", async () => {
  const rules: ConfigObject[] = [];
  const { watch, lookAt } = open(() => rules);
  gone = true;
  for (const second of [0, 30]) await lookAt(second);
  rules.push({
    ...{ apiVersion: "limpid.dev/v1alpha1", kind: "AlertRule" },
    metadata: { namespace: "istio-system", name: "proxies-missing" },
    spec: {
      when: { proxies: { states: ["Disconnected"] } },
      for: "30s",
      mutedUntil: new Date(9_000_000).toISOString(),
    },
  });
  await lookAt(35);
  expect(watch.alerts()).toMatchObject({ active: [{ clearedAt: null }], over: [] });
});
