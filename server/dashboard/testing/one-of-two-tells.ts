import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, vi } from "vitest";
import type { AlertBook } from "../../alerts/book.ts";
import type { ConfigObject } from "../../config/object.ts";
import type { ProxyList } from "../../contract/index.ts";
import { createAlerts } from "../alerts.ts";

const rule: ConfigObject = {
  ...{ apiVersion: "limpid.dev/v1alpha1", kind: "AlertRule", metadata: { namespace: "default", name: "gone" } },
  spec: { when: { proxies: { states: ["Disconnected"] } }, for: "0s" },
};
const proxies = [{ id: "a", namespace: "default", name: "a", connected: false, disconnectedAt: 5, types: {} }];

const patience = { timeout: 20_000 };

/** Of two dashboards one tells, the other shows it, and goes on when the first has ended. `book`: each call another dashboard's, of one mesh. */
export async function oneOfTwoTells(book: () => AlertBook): Promise<void> {
  const told: string[] = [];
  const receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    told.push((JSON.parse(body) as { status: string }).status);
    response.end();
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  let present: typeof proxies = [];
  let now = 1_000_000;
  const open = () => {
    const alerts = createAlerts({
      ...{ book: book(), origin: "http://127.0.0.1:3000", everyMs: 5, rootNamespace: "istio-system", now: () => now },
      rules: async () => [rule],
      services: async () => ({ at: 0, windowSec: 60, services: [] }),
      proxies: async () => ({ proxies: present as unknown as ProxyList["proxies"] }),
      onError: (error) => Promise.reject(error),
    });
    const stop = new AbortController();
    const done = alerts.watchAlerts(stop.signal);
    return {
      ...alerts,
      async end(): Promise<void> {
        stop.abort();
        await done;
      },
    };
  };
  const [first, second] = [open(), open()];
  onTestFinished(async () => {
    await Promise.all([first.end(), second.end()]);
    receiver.closeAllConnections();
    receiver.close();
  });
  const { port } = receiver.address() as AddressInfo;
  await second.putReceiver({ name: "hook", kind: "webhook", url: `http://127.0.0.1:${port}/` });
  present = proxies;
  await vi.waitFor(async () => {
    for (const one of [first, second])
      expect((await one.alerts()).active).toMatchObject([{ subject: { name: "a" }, deliveries: [{ state: "sent" }] }]);
  }, patience);
  expect(told).toEqual(["firing"]);
  const { rules } = await second.alertRules();
  expect(rules.find(({ name }) => name === "gone")).toMatchObject({ active: 1, meshWide: false });
  expect(rules.find(({ name }) => name === "services-failing")).toMatchObject({ builtIn: true, meshWide: true });

  await first.end();
  present = present.map((proxy) => ({ ...proxy, connected: true }));
  await vi.waitFor(async () => {
    now += 60_000;
    expect((await second.alerts()).active).toEqual([]);
  }, patience);
  await vi.waitFor(() => expect(told).toEqual(["firing", "resolved"]), patience);
}
