import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import type { KnownProxy } from "../server/contract/index.ts";
import { meshPorts } from "../server/fleet/ports.ts";
import { patience, visit } from "./browser.ts";
import { writeCode } from "./code.ts";
import { healthJourney } from "./health-journey.ts";
import { eventually, getThrough, reviewVersions, type TestMesh } from "./mesh.ts";
import { mutualTlsJourney } from "./mutual-tls-journey.ts";
import { startPickyProxy } from "./picky-proxy.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";

const proxies = [
  "productpage-v1",
  "details-v1",
  "reviews-v1",
  "reviews-v2",
  "reviews-v3",
  "ratings-v1",
  "istio-ingressgateway",
];

describe.skipIf(chromium.missing)(`the fleet, seen in the dashboard${chromium.reason}`, () => {
  const running = meshAndBrowser();
  const pidOf = async (part: string) =>
    (await running().mesh.status()).parts.find(({ name }) => name === part)?.pid ?? 0;

  mutualTlsJourney(running);
  healthJourney(running, pidOf);

  test("every proxy is listed and in sync, and its config can be read", async () => {
    const { page, problems } = await running().open("/proxies");
    for (const name of proxies) await inSync(page, name);
    await page.getByTestId("proxy-row-reviews-v1").getByRole("button", { name: "reviews-v1" }).click();
    const dump = page.getByTestId("config-dump");
    await dump.getByTestId("type-CDS").click();
    await dump.getByRole("button", { name: /^SYNCED.*inbound\|\d+\|\||inbound\|\d+\|\|/ }).click();
    await dump.getByText("envoy.config.cluster.v3.Cluster").first().waitFor();
    expect(problems).toEqual([]);
  });

  test("what each proxy's process uses stands beside it, and its memory is what the kernel says", async () => {
    const { page } = await running().open("/proxies");
    const memory = page.getByTestId("proxy-row-ratings-v1").locator('td[data-label="memory"]');
    await memory.getByText(/\d+ MB/).waitFor();
    await page.getByTestId("proxy-row-ratings-v1").locator('td[data-label="cpu"]').getByText(/\d %/).waitFor();
  });

  test("a refused rule says who, when, why, which line it comes from and what holds instead", async () => {
    const regex = "^/seldom/[a-z]{1,200}$";
    const picky = startPickyProxy(meshPorts(running().mesh.portOffset).xds, "picky-v1", regex);
    onTestFinished(async () => {
      picky.stop();
      // It will not come back, and would be missed.
      const { proxies: all } = await (await running().mesh.ask("/api/proxies")).json();
      const { id } = all.find(({ name }: { name: string }) => name === "picky-v1");
      await eventually(
        async () =>
          (
            await running().mesh.ask(`/api/proxies/${encodeURIComponent(id)}`, {
              method: "DELETE",
              headers: { "content-type": "application/json" },
            })
          ).ok,
        patience,
        "the picky proxy is forgotten",
      );
    });
    const { page, problems } = await running().open("/proxies");
    await page.locator('[data-testid="proxy-row-picky-v1"] [data-type="VHDS"][data-state="SYNCED"]').waitFor();
    const yaml = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: details-seldom, namespace: default }
spec:
  hosts: [details]
  http:
    - match: [{ uri: { regex: "${regex}" } }]
      route: [{ destination: { host: details } }]
    - route: [{ destination: { host: details } }]
`;
    const applied = await running().mesh.ask("/api/apply", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ yaml }),
    });
    expect(applied.status).toBe(200);
    const { revision } = (await applied.json()) as { revision: number };
    const refused = page.getByTestId("refused");
    await refused.getByText("picky-v1 refused virtual host").waitFor();
    await refused.getByText(`at revision ${revision}, this machine`).waitFor();
    await refused.getByText("is larger than this proxy takes").waitFor();
    await refused.getByText(/The version before stays in force there, since \d\d:\d\d:\d\d/).waitFor();
    await page.locator('[data-testid="proxy-row-picky-v1"] [data-type="VHDS"][data-state="ERROR"]').waitFor();
    // The sidecars take it: one proxy's refusal is no one else's trouble.
    await inSync(page, "productpage-v1");
    await page.locator('nav [data-page="config"] b').filter({ visible: true }).getByText("1").waitFor();
    expect(await page.getByTestId("fleet-pill").getAttribute("href")).toBe("/proxies?sync=out");
    await refused.getByRole("link", { name: /http_proxy/ }).click();
    await page.getByTestId("config-dump").getByText(regex).first().waitFor();
    await page.getByTestId("view-in-force").click();
    await page.waitForURL(/view=in-force/);
    await page.keyboard.press("Escape");
    await refused.getByRole("link", { name: "http[0].match[0].uri.regex" }).click();
    await page.locator(".cm-marked").getByText(regex).waitFor();
    await visit(page, "/overview");
    await onTheAxis(page, new RegExp(`picky-v1 refused revision ${revision}`));
    expect(problems).toEqual([]);
    await visit(page, "/proxies");
    const past = (open: boolean) =>
      page.locator(`[data-testid="inbox"] [data-revision="${revision}"][data-open="${open}"]`);
    await past(true).getByText("is larger than this proxy takes").waitFor();
    await past(true).getByRole("link", { name: "details-seldom http[0].match[0].uri.regex" }).waitFor();
    await undo(running().mesh, revision);
    await page.locator('[data-testid="proxy-row-picky-v1"] [data-type="VHDS"][data-state="SYNCED"]').waitFor();
    expect(await refused.count()).toBe(0);
    await past(false).getByRole("link", { name: "VirtualService default/details-seldom" }).waitFor();

    // What was refused once is foretold, with the field that is meant, before it is written again.
    await visit(page, "/config/new");
    await writeCode(page.getByTestId("yaml-editor"), yaml);
    const foretold = page.getByTestId("foretold");
    await foretold.getByText("picky-v1 would refuse it and go on as before").waitFor();
    await foretold.getByText("http[0].match[0].uri.regex").waitFor();
    // Whoever asks for the rule between its end and the next look at the fleet is told that it is gone.
    expect(problems.filter((text) => !(text.includes("404") && text.includes("details-seldom")))).toEqual([]);
  });

  test("a killed sidecar is said to be gone, and comes back in sync", async () => {
    const { page } = await running().open("/proxies");
    await inSync(page, "reviews-v2");
    // The supervisor starts it again after 200 ms, twice as long with each death, until the gap is long enough for a page to see.
    const killed = new Set<number>();
    await eventually(
      async () => {
        const pid = await pidOf("reviews-v2 proxy");
        if (pid !== 0 && !killed.has(pid)) {
          process.kill(pid, "SIGKILL");
          killed.add(pid);
        }
        return (await page.getByTestId("lost-reviews-v2").count()) === 1;
      },
      2 * patience,
      "the killed proxy is said to be gone",
    );
    await inSync(page, "reviews-v2");
    await page.getByTestId("fleet-pill").getByText("7 / 7").waitFor();
    await eventually(
      async () => ((await reviewVersions(running().mesh, 20)).v2 ?? 0) > 0,
      patience,
      "reviews v2 answers again",
    );
  });

  test("a frozen sidecar is missed, in the list and the pill, until another takes its place", async () => {
    const { page, problems } = await running().open("/proxies");
    await inSync(page, "reviews-v3");
    const frozen = await pidOf("reviews-v3 proxy");
    process.kill(frozen, "SIGSTOP");
    const slowly = { timeout: 3 * patience };
    await page
      .getByTestId("lost-reviews-v3")
      .getByText(/disconnected since \d\d:\d\d:\d\d/)
      .waitFor(slowly);
    await page.getByTestId("fleet-pill").getByText("6 / 7").waitFor();
    // The supervisor ends what hangs and starts it again.
    await inSync(page, "reviews-v3", 3 * patience);
    expect(await pidOf("reviews-v3 proxy")).not.toBe(frozen);
    await page.getByTestId("fleet-pill").getByText("7 / 7").waitFor(slowly);
    expect(problems).toEqual([]);
  });

  test("a proxy that is gone is missed: in the list, the pill, its service and a push, over a restart; until it is forgotten", async () => {
    await apply(running().mesh, lonelyService);
    onTestFinished(() => removeLonely(running().mesh));
    const proxy = startPickyProxy(meshPorts(running().mesh.portOffset).xds, "lonely-v1", "nothing is refused");
    const { page, problems } = await running().open("/proxies");
    const pill = page.getByTestId("fleet-pill");
    await pill.getByText("8 / 8").waitFor();
    proxy.stop();
    const lost = page.getByTestId("lost-lonely-v1");
    await lost.getByText(/disconnected since \d\d:\d\d:\d\d/).waitFor();
    await lost.getByText(/last held revision \d+/).waitFor();
    await pill.getByText("7 / 8").waitFor();
    await page.locator('nav [data-page="proxies"] b').filter({ visible: true }).getByText("1").waitFor();
    expect(await page.locator("tbody tr").first().getAttribute("data-testid")).toBe("proxy-row-lonely-v1");
    const { page: service } = await running().open("/services/default/lonely");
    await service.getByTestId("missing-proxy-lonely-v1").waitFor();
    await visit(service, "/topology?select=default%2Flonely%2Fv1");
    await service.locator('[data-node="default/lonely/v1"][data-badges="proxy-gone"]').waitFor({ state: "attached" });
    await service.getByTestId("missing-proxy-lonely-v1").waitFor();
    const revision = await apply(running().mesh, timeoutRule);
    await visit(service, "/services/default/details");
    await service.locator('[data-testid="push-status"] [data-proxy="lonely-v1"][data-state="missed"]').waitFor();
    await undo(running().mesh, revision);
    const before = await pidOf("control-plane");
    process.kill(before, "SIGKILL");
    await eventually(async () => ![0, before].includes(await pidOf("control-plane")), patience, "a new process");
    // Until it answers, the page shows what it knew before.
    await eventually(
      async () => (await running().mesh.ask("/api/proxies")).ok,
      2 * patience,
      "the fleet is told again",
    );
    await pill.getByText("7 / 8").waitFor({ timeout: 2 * patience });
    await lost.getByText(/last held revision/).waitFor();
    const forget = page.getByTestId("forget-lonely-v1");
    // The rows still find their places: one that moves under the second press takes it back.
    await eventually(
      async () => {
        await forget.click();
        const answered = page.waitForResponse((response) => response.request().method() === "DELETE", {
          timeout: 3000,
        });
        await forget
          .getByText("Forget lonely-v1")
          .click({ timeout: 3000 })
          .catch(() => undefined);
        return (await answered.catch(() => undefined))?.ok() ?? false;
      },
      2 * patience,
      "it is forgotten",
    );
    await pill.getByText("7 / 7").waitFor();
    expect(await lost.count()).toBe(0);
    expect(problems.filter((text) => !text.includes("503"))).toEqual([]);
  });

  test("while the control plane is away the dashboard says so, traffic goes on, and it heals by itself", async () => {
    const { page } = await running().open("/proxies");
    const { page: config } = await running().open("/services");
    const pill = page.getByTestId("fleet-pill");
    await pill.getByText("7 / 7").waitFor();
    const before = await pidOf("control-plane");
    process.kill(before, "SIGSTOP"); // hangs: the worst way to be away
    try {
      await pill.getByText("unreachable").waitFor();
      expect((await getThrough(running().mesh.gateway, "/productpage")).status).toBe(200);
      // What was read last stays in sight, and nothing claims that there is nothing.
      expect(await page.locator('[data-testid^="proxy-row-"]').count()).toBe(proxies.length);
      expect(await page.locator("nav b").filter({ visible: true }).count()).toBe(0);
      await visit(config, "/config");
      await config.getByTestId("error-state").waitFor({ timeout: 2 * patience });
    } finally {
      process.kill(before, "SIGKILL");
    }
    await eventually(async () => ![0, before].includes(await pidOf("control-plane")), patience, "a new process");
    await pill.getByText("7 / 7").waitFor();
    for (const name of proxies) await inSync(page, name);
    // Opened while it was away: nobody has to reload it.
    await config.locator('[data-object="VirtualService/default/reviews"]').waitFor();
    await config.getByTestId("error-state").waitFor({ state: "detached" });
    await visit(config, "/overview");
    // Killed here, or before that by the supervisor, which had no answer of it.
    await onTheAxis(config, /control-plane( and \d+ more)? (ended \(SIGKILL\)|gave no answer) and was started again/);
  });
});

/** A mark on the overview's charts says so, alone or among others that are near. */
const onTheAxis = (page: Page, words: RegExp): Promise<void> =>
  page
    .getByTestId("chart-mark")
    .and(page.getByRole("button", { name: words }))
    .first()
    .waitFor();

const lonelyService = `apiVersion: v1
kind: Service
metadata: { name: lonely, namespace: default }
spec: { selector: { app: lonely }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: lonely-v1, namespace: default }
spec: { address: 127.0.1.99, labels: { app: lonely, version: v1 } }
`;

/** Resolves with the revision. */
async function apply(mesh: TestMesh, yaml: string): Promise<number> {
  const applied = await mesh.ask("/api/apply", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ yaml }),
  });
  expect(applied.status).toBe(200);
  return ((await applied.json()) as { revision: number }).revision;
}

async function removeLonely({ configApi }: TestMesh): Promise<void> {
  const { proxies } = (await (await fetch(`${configApi}/limpid/v1/proxies`)).json()) as { proxies: KnownProxy[] };
  const lonely = proxies.find(({ name }) => name === "lonely-v1");
  if (lonely) await fetch(`${configApi}/limpid/v1/proxies/${encodeURIComponent(lonely.id)}`, { method: "DELETE" });
  await fetch(`${configApi}/api/v1/namespaces/default/services/lonely`, { method: "DELETE" });
  const entries = "/apis/networking.istio.io/v1/namespaces/default/workloadentries";
  await fetch(`${configApi}${entries}/lonely-v1`, { method: "DELETE" });
}

const timeoutRule = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: details, namespace: default }
spec:
  hosts: [details]
  http: [{ timeout: 9s, route: [{ destination: { host: details } }] }]
`;

async function undo(mesh: TestMesh, revision: number): Promise<void> {
  const undone = await mesh.ask("/api/undo", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ revision }),
  });
  expect(undone.status).toBe(200);
}

/** Every type that was sent to it is acknowledged; one that it never asked for may be unsent. */
async function inSync(page: Page, name: string, timeoutMs = patience): Promise<void> {
  const row = page.getByTestId(`proxy-row-${name}`);
  await row.waitFor();
  await eventually(
    async () => {
      const states = await row
        .locator("[data-type]")
        .evaluateAll((cells) =>
          cells.map((cell) => `${(cell as HTMLElement).dataset.type} ${(cell as HTMLElement).dataset.state}`),
        );
      if (!["LDS SYNCED", "CDS SYNCED"].every((state) => states.includes(state))) throw new Error(states.join(", "));
      return states.every((state) => /SYNCED|NOT_SENT/.test(state));
    },
    timeoutMs,
    `${name} is in sync`,
  );
}
