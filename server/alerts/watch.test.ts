import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { AlertDelivery, Notice, ProxyList, ReceiverRequest } from "../contract/index.ts";
import type { AlertBook, Leadership } from "./book.ts";
import { Courier } from "./courier.ts";
import { Receivers } from "./receivers.ts";
import { AlertWatch } from "./watch.ts";

let server: Server;
let url = "";
let status = 200;
let now = 0;
let gone = false;
let beforeAnswer: () => Promise<void>;
const got: { headers: Record<string, unknown>; body: Record<string, unknown> }[] = [];
const errors: unknown[] = [];
const stop = new AbortController();

beforeEach(async () => {
  [status, now, gone] = [200, 1_000_000, false];
  beforeAnswer = async () => undefined;
  got.length = 0;
  errors.length = 0;
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    if (status === 200) got.push({ headers: request.headers, body: JSON.parse(text) });
    await beforeAnswer();
    response.writeHead(status, status === 302 ? { location: "http://203.0.113.1/" } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
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

const waiting = (delivery: AlertDelivery): AlertDelivery => ({ ...delivery, state: "waiting" });

/** Of this process alone. */
function memoryBook(): AlertBook {
  const receivers = new Map<string, ReceiverRequest>();
  let kept: readonly Notice[] = [];
  const leadership: Leadership = {
    holds: async () => true,
    keep: async (notices) => {
      kept = structuredClone(notices);
    },
    resign: async () => undefined,
  };
  return {
    lead: async () => leadership,
    notices: async () => structuredClone(kept),
    receivers: async () => [...receivers.values()],
    putReceiver: async (receiver) => receivers.set(receiver.name, receiver).size > 0,
    removeReceiver: async (name) => receivers.delete(name),
    close: async () => undefined,
  };
}

async function open(rules: () => readonly ConfigObject[] = () => [], book = memoryBook()) {
  const receivers = new Receivers(book);
  const leadership = (await book.lead()) as Leadership;
  const watch = new AlertWatch({
    ...{ rules: async () => rules(), services: async () => ({ at: 0, windowSec: 60, services: [] }), proxies },
    ...{ rootNamespace: "istio-system", book, receivers: receivers.names, now: () => now },
    onError: (error) => errors.push(error),
  });
  await watch.reload();
  const courier = new Courier({
    ...{ receivers, page: "http://127.0.0.1:3000/alerts", now: () => now, signal: stop.signal, waits: [1, 1] },
    ...{ isOurs: leadership.holds, onChange: () => void watch.save(leadership) },
  });
  const lookAt = async (seconds: number): Promise<void> => {
    now = 1_000_000 + seconds * 1000;
    await watch.look(courier, leadership);
  };
  return { receivers, watch, courier, lookAt, book };
}

it("a proxy that goes is told of once, and once that it is back; Alertmanager's form and Slack's", async () => {
  const { receivers, watch, lookAt } = await open();
  await receivers.put({ name: "hook", kind: "webhook", url, authorization: "Bearer t0ken" });
  await receivers.put({ name: "slack", kind: "slack", url });
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
  const first = await open();
  await first.receivers.put({ name: "hook", kind: "webhook", url });
  status = 302;
  gone = true;
  for (const second of [0, 30]) await first.lookAt(second);
  const why = { message: "answered 302", reason: "receiver-answered", params: { status: 302 } };
  const failed = await vi.waitFor(() => {
    const { active } = first.watch.alerts();
    expect(active[0]?.deliveries).toMatchObject([{ state: "failed", why }]);
    return active;
  });
  const shown = await first.receivers.shown([]);
  expect(shown).toMatchObject([{ name: "hook", last: { ok: false, why } }]);
  expect(JSON.stringify(shown)).not.toContain("s3cret");
  // As a process leaves it that ends while a message waits.
  const leadership = await first.book.lead();
  await leadership?.keep(failed.map((notice) => ({ ...notice, deliveries: notice.deliveries.map(waiting) })));
  status = 200;
  const second = await open(undefined, first.book);
  expect(await second.receivers.shown(second.watch.alerts().active), "by those that were told").toMatchObject([
    { last: { ok: false, why } },
  ]);
  second.courier.resume(second.watch.alerts().active);
  await vi.waitFor(() => expect(got).toHaveLength(1));
  await second.lookAt(35);
  expect(second.watch.alerts().active).toHaveLength(1);
});

it("a receiver hears the beginning before the end, however late it is there, and is told neither twice while it is slow", async () => {
  const answer = Promise.withResolvers<void>();
  const { receivers, watch, lookAt } = await open();
  await receivers.put({ name: "hook", kind: "webhook", url });
  beforeAnswer = () => answer.promise;
  gone = true;
  for (const second of [0, 30]) await lookAt(second);
  await vi.waitFor(() => expect(got).toHaveLength(1));
  gone = false;
  for (const second of [35, 70]) await lookAt(second);
  expect(watch.alerts().over[0]?.deliveries).toMatchObject([{ state: "waiting" }, { state: "waiting" }]);
  answer.resolve();
  await vi.waitFor(() =>
    expect(watch.alerts().over[0]?.deliveries).toMatchObject([
      { phase: "fired", state: "sent" },
      { phase: "cleared", state: "sent" },
    ]),
  );
  expect(got.map(({ body }) => body.status)).toEqual(["firing", "resolved"]);
});

it("who never heard of the beginning is not told of the end", async () => {
  const { receivers, watch, lookAt } = await open();
  await receivers.put({ name: "hook", kind: "webhook", url });
  const answer = Promise.withResolvers<void>();
  beforeAnswer = () => answer.promise;
  status = 500;
  gone = true;
  for (const second of [0, 30]) await lookAt(second);
  gone = false;
  for (const second of [35, 70]) await lookAt(second);
  answer.resolve();
  await vi.waitFor(() =>
    expect(watch.alerts().over[0]?.deliveries).toMatchObject([
      { phase: "fired", state: "failed", why: { reason: "receiver-answered" } },
      { phase: "cleared", state: "failed", why: { reason: "receiver-unaware" } },
    ]),
  );
});

it("nobody is told by whoever leads no more", async () => {
  const book = memoryBook();
  const leadership = (await book.lead()) as Leadership;
  leadership.holds = async () => false;
  leadership.keep = () => Promise.reject(new Error("the connection is gone"));
  const { receivers, lookAt } = await open(undefined, book);
  await receivers.put({ name: "hook", kind: "webhook", url });
  gone = true;
  for (const second of [0, 30]) await lookAt(second);
  expect(errors).toMatchObject([{ message: "the connection is gone" }]);
  expect(got).toEqual([]);
});

it("a book that can't be read is told of, and not the end", async () => {
  const { watch } = await open(undefined, { ...memoryBook(), notices: () => Promise.reject(new Error("broken")) });
  expect(watch.alerts()).toMatchObject({ active: [], blindSince: now });
  expect(errors).toHaveLength(1);
});

it("a rule that is muted tells these pages alone, and receivers of what still lasts when it is heard again", async () => {
  const muted: ConfigObject = {
    ...{ apiVersion: "limpid.dev/v1alpha1", kind: "AlertRule" },
    metadata: { namespace: "istio-system", name: "proxies-missing" },
    spec: { when: { proxies: { states: ["Disconnected"] } }, for: "0s", mutedUntil: new Date(1_060_000).toISOString() },
  };
  const { receivers, watch, lookAt } = await open(() => [muted]);
  await receivers.put({ name: "hook", kind: "webhook", url });
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
  const { watch, lookAt } = await open(() => rules);
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
