import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { AlertRules } from "../server/contract/index.ts";
import { patience } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

const json = { "content-type": "application/json" };
const name = "ratings-fail";
const made = "reviews-fail";

const noticed = `[data-notice="default/${name} ratings"]`;

const rule = {
  apiVersion: "limpid.dev/v1alpha1",
  kind: "AlertRule",
  metadata: { name, namespace: "default" },
  spec: { service: "ratings", when: { errors: { above: 20 } }, window: "10s", for: "0s", receivers: ["e2e"] },
};

/** Somebody who is told, by a webhook as Prometheus' Alertmanager tells it. */
export function alertsJourney(running: () => Running): void {
  test("a rule on errors fires by a real fault, tells its receiver once, and once more when it is over", async () => {
    const { mesh, open } = running();
    let refuses = true;
    const told: { status: string; alerts: { labels: Record<string, string> }[] }[] = [];
    const receiver = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      if (refuses) return response.writeHead(500).end();
      told.push(JSON.parse(body));
      return response.end();
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    const { port } = receiver.address() as AddressInfo;
    const api = apiOf(mesh);
    onTestFinished(async () => {
      receiver.close();
      await mesh.ask("/api/alerts/receivers/e2e", { method: "DELETE", headers: json });
      await api.transact([{ op: "delete", key: { kind: "AlertRule", namespace: "default", name } }], undefined, {
        user: "e2e",
      });
    });
    await setReviews(mesh, 0, 0, 100);

    const { page, problems } = await open("/alerts");
    await page.getByTestId("receiver-name").fill("e2e");
    await page.getByTestId("receiver-url").fill(`http://127.0.0.1:${port}/hook?key=secret`);
    await page.getByTestId("receiver-add").click();
    const row = page.locator("tr", { hasText: `http://127.0.0.1:${port}` });
    await row.waitFor();
    expect(await row.textContent(), "an address is a key").not.toContain("secret");

    await api.transact([{ op: "put", object: rule }], undefined, { user: "e2e" });
    const abort = { percentage: 100, httpStatus: 503 };
    const fault = { namespace: "default", service: "ratings", delay: null, abort, header: null, durationSec: 300 };
    await api.injectFault(fault, { user: "e2e" });
    await page.locator(`${noticed}[data-over="false"]`).waitFor({ timeout: 2 * patience });
    await page.locator(`${noticed} [data-state="waiting"]`, { hasText: "e2e is told again: answered 500" }).waitFor();
    refuses = false;
    const ofRule = () => told.filter(({ alerts }) => alerts.some(({ labels }) => labels.alertname?.endsWith(name)));
    await eventually(() => ofRule().length === 1, 2 * patience, "the receiver is told once it takes what it is told");
    expect(ofRule()[0]?.status).toBe("firing");

    const { faults } = (await (await mesh.ask("/api/faults")).json()) as { faults: { id: string }[] };
    for (const { id } of faults) await api.stopFault(id, { user: "e2e" });
    await page.locator(`${noticed}[data-over="true"][data-end="recovered"]`).waitFor({ timeout: 4 * patience });
    await eventually(() => ofRule().length === 2, patience, "the receiver is told of the end");
    expect(ofRule().map(({ status }) => status)).toEqual(["firing", "resolved"]);
    expect(problems).toEqual([]);
  });

  test("a rule is made, muted, heard again and removed on the page, beside those that are built in", async () => {
    const { mesh, open } = running();
    onTestFinished(async () => {
      const { rules } = (await (await mesh.ask("/api/alerts/rules")).json()) as AlertRules;
      if (!rules.some((one) => one.name === made)) return;
      const key = { kind: "AlertRule", namespace: "default", name: made };
      await apiOf(mesh).transact([{ op: "delete", key }], undefined, { user: "e2e" });
    });
    const { page, problems } = await open("/alerts");
    const builtIn = page.locator('[data-rule="istio-system/services-failing"]');
    await builtIn.getByText("the whole mesh").waitFor();
    await page.getByTestId("new-rule").click();
    await page.getByTestId("rule-name").fill(made);
    await page.getByTestId("rule-service").fill("reviews");
    await page.getByTestId("rule-limit").fill("35");
    await page.getByTestId("rule-save").click();
    const row = page.locator(`[data-rule="default/${made}"]`);
    await row.getByText("more than 35 % of requests fail within 1 min, for 1 min").waitFor();

    const press = async (item: string) => {
      await row.getByTestId("rule-menu").click();
      await page.getByTestId(item).click();
    };
    await press("mute-1");
    await row.getByText("muted until").waitFor();
    const { rules } = (await (await mesh.ask("/api/alerts/rules")).json()) as AlertRules;
    expect(rules.find((one) => one.name === made)?.spec).toMatchObject({ service: "reviews" });
    await press("unmute");
    await row.getByText("muted until").waitFor({ state: "detached" });
    await press("rule-remove");
    await page.getByTestId("rule-remove").getByText(`Remove ${made}?`).waitFor();
    await page.getByTestId("rule-remove").click();
    await row.waitFor({ state: "detached" });
    expect(problems).toEqual([]);
  });
}
