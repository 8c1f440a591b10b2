import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { startApi } from "../control-plane/api/testing/api-harness.ts";
import { buildMesh } from "../model/mesh.ts";
import { objectsOf } from "../translate/testing/cases.ts";
import type { ProxyIdentity } from "./bootstrap.ts";
import { ProxyStartSettings } from "./proxy-starts.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0).reverse()) await close();
});

const identity = (app: string): ProxyIdentity => ({
  type: "sidecar",
  workload: `${app}-v1`,
  namespace: "default",
  serviceAccount: app,
  labels: { app, version: "v1" },
  inboundPorts: [],
});
const [cart, ratings] = [identity("cart"), identity("ratings")];
const nothing = { environmentVariables: {} };

test("each proxy gets what its ProxyConfig says, and who has none nothing", async () => {
  const mesh = buildMesh(
    objectsOf(`
apiVersion: networking.istio.io/v1beta1
kind: ProxyConfig
metadata: { name: cart, namespace: default }
spec: { selector: { matchLabels: { app: cart } }, concurrency: 2, environmentVariables: { A: b } }
`),
    1,
  );
  const api = await startApi({ mesh: () => mesh });
  closers.push(() => api.close());
  const settings = new ProxyStartSettings(api.url, [ratings, cart]);
  expect(settings.of(cart)).toEqual(nothing);
  await settings.refresh();
  expect(settings.of(cart)).toEqual({ concurrency: 2, environmentVariables: { A: "b" } });
  expect(settings.of(ratings)).toEqual(nothing);
});

/** A control plane that answers as it is told. */
async function controlPlane() {
  const answer = { status: 200, body: "" };
  let asked = 0;
  const server: Server = createServer((_, response) => {
    asked += 1;
    response.statusCode = answer.status;
    response.end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { answer, url: `http://127.0.0.1:${port}`, asked: () => asked, server };
}

const starts = (...all: object[]) => JSON.stringify({ starts: all });

test("what was said before is in force while the control plane fails, says nonsense or is away", async () => {
  const { answer, url, server } = await controlPlane();
  const settings = new ProxyStartSettings(url, [cart]);
  answer.body = starts({ concurrency: 3, environmentVariables: {} });
  await settings.refresh();
  const said = { concurrency: 3, environmentVariables: {} };
  expect(settings.of(cart)).toEqual(said);
  for (const [status, body] of [
    [503, starts({ environmentVariables: {} })],
    [200, "no JSON"],
    [200, starts({ concurrency: "many" })],
    [200, starts()],
  ] as const) {
    Object.assign(answer, { status, body });
    await settings.refresh();
    expect(settings.of(cart), body).toEqual(said);
  }
  server.closeAllConnections();
  server.close();
  await settings.refresh();
  expect(settings.of(cart)).toEqual(said);
  // A port that takes connections and is no control plane.
  const other = createTcpServer((socket) => socket.destroy());
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  closers.push(() => other.close());
  const { port } = other.address() as AddressInfo;
  const strange = new ProxyStartSettings(`http://127.0.0.1:${port}`, [cart]);
  await strange.refresh();
  expect(strange.of(cart)).toEqual(nothing);
});

test("it is asked every ten seconds until that is stopped", async () => {
  const { answer, url, asked } = await controlPlane();
  answer.body = starts({ environmentVariables: {} });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const settings = new ProxyStartSettings(url, [cart]);
  settings.follow();
  vi.advanceTimersByTime(9_999);
  expect(asked()).toBe(0);
  vi.advanceTimersByTime(1);
  await vi.waitFor(() => expect(asked()).toBe(1), { timeout: 10_000 });
  settings.stop();
  vi.advanceTimersByTime(60_000);
  expect(vi.getTimerCount()).toBe(0);
  await settings.refresh();
  expect(asked()).toBe(2);
});
