import { request } from "node:http";
import { beforeAll, describe, expect, test } from "vitest";
import { MutualTlsReport, RefusalReport, WorkloadList } from "../server/contract/index.ts";
import { visit } from "./browser.ts";
import { codeText } from "./code.ts";
import { eventually } from "./mesh.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";

const deny = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-back-door, namespace: default }
spec:
  selector: { matchLabels: { app: reviews } }
  action: DENY
  rules:
    - to: [{ operation: { paths: ["/never"] } }]
    - to: [{ operation: { paths: ["/back-door"] } }]
`;

/** What comes by the network takes its time on a busy machine. */
const patience = 90_000;

describe.skipIf(chromium.missing)(`the security page${chromium.reason}`, { timeout: 4 * patience }, () => {
  const running = meshAndBrowser();
  let stranger: (path: string) => Promise<number>;
  beforeAll(async () => {
    const { workloads } = WorkloadList.parse(await (await running().mesh.ask("/api/workloads")).json());
    const { address = "", port = 0 } = workloads.find(({ app }) => app === "reviews")?.endpoints[0] ?? {};
    stranger = (path) => plainText(address, port, path);
  });
  const read = async (path: string): Promise<unknown> => (await running().mesh.ask(`/api/security/${path}`)).json();

  test("what a rule refused stands under the rule, with its caller, its line of YAML and its lines of the log", async () => {
    const applied = await running().mesh.ask("/api/apply", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ yaml: deny }),
    });
    expect(applied.status, await applied.text()).toBe(200);
    await eventually(async () => (await stranger("/back-door")) === 403, patience, "the rule is in force");
    await eventually(
      async () => RefusalReport.parse(await read("refusals?window=300")).groups.length > 0,
      patience,
      "the refusal is told",
    );
    const { page, problems } = await running().open("/security?tab=refusals&window=300", {}, patience);
    const group = page.getByTestId("refusal-group");
    await group.getByText("/back-door").first().waitFor();
    expect(await group.locator('[data-refused=""]').count()).toBe(1);
    await page.locator('[data-policy="default/no-back-door"]').waitFor();
    await group.getByTestId("refusal-rule").click();
    await page.waitForURL(/\/config\/AuthorizationPolicy\/default\/no-back-door\?rule=rules%5B1%5D/);
    await visit(page, "/security?tab=refusals&window=300");
    await group.getByTestId("refusal-logs").click();
    await page.waitForURL(/\/logs\?.*details=rbac_access_denied/);
    await page.getByTestId("log-row").first().waitFor();
    expect(problems).toEqual([]);
  });

  test("the matrix has who calls whom, and which policy speaks of it", async () => {
    const { page, problems } = await running().open("/security?tab=coverage&window=300", {}, patience);
    await page.locator('[data-pair="default/productpage>default/reviews"]').click();
    const pair = page.getByTestId("coverage-pair");
    await pair.getByText("no-back-door").waitFor();
    await page.getByTestId("coverage-list").click();
    await page.locator('[data-call="default/productpage>default/reviews"]').getByText("no-back-door").waitFor();
    expect(problems).toEqual([]);
  });

  test("certificates have their workloads and their end", async () => {
    const { page, problems } = await running().open("/security?tab=certificates", {}, patience);
    const reviews = page
      .locator('[data-identity$="/ns/default/sa/bookinfo-reviews"], [data-identity*="reviews"]')
      .first();
    await reviews.waitFor();
    expect(await reviews.getAttribute("data-state")).toBe("good");
    await reviews.getByText("reviews-v1").waitFor();
    expect(problems).toEqual([]);
  });

  test("what it does to revoke an identity is said before, then done, and taken back", async () => {
    const identity = "spiffe://cluster.local/ns/default/sa/bookinfo-reviews";
    const { page, problems } = await running().open("/security?tab=certificates", {}, patience);
    await page.locator(`[data-identity="${identity}"] a`).first().click();
    const sheet = page.getByTestId("revocation");
    await sheet.getByText("calls of the last hour would have been refused").waitFor();
    await sheet.locator('[data-called="default/ratings-v1"]').waitFor();
    await sheet.getByText("limpid-revoked-identities").waitFor();
    await sheet.getByTestId("revocation-reason").fill("tried");
    const press = async (verb: string) => {
      await sheet.getByTestId(`${verb}-identity`).click();
      await sheet.getByTestId(`${verb}-identity`).click();
    };
    await press("revoke");
    await sheet.getByText(/Revoked since .* tried/).waitFor();
    await eventually(
      async () =>
        RefusalReport.parse(await read("refusals?window=300")).groups.some(({ by }) =>
          by.some(({ name }) => name === "limpid-revoked-identities"),
        ),
      patience,
      "its calls are refused",
    );
    await press("restore");
    await sheet.getByTestId("revoke-identity").waitFor();
    expect(problems).toEqual([]);
  });

  // Last: what it makes stays.
  test("STRICT is previewed with what it would break, written from there, and then turns plain text away", async () => {
    await eventually(
      async () => {
        await stranger("/reviews/0");
        const { workloads } = MutualTlsReport.parse(await read("mutual-tls?window=300"));
        return workloads.find(({ app, plain }) => app === "reviews" && plain > 0);
      },
      patience,
      "plain text is counted",
    );
    const { page, problems } = await running().open("/security?window=300", {}, patience);
    // A choice that is made while Next's router is still beginning is lost to it.
    await eventually(
      async () => {
        await page.getByTestId("strict-target").selectOption("default");
        return /strict=default/.test(page.url());
      },
      patience,
      "the choice is in the address",
    );
    await page.getByTestId("strict-verdict").getByText("would break").waitFor();
    const trend = page.getByTestId("mutual-tls-trend");
    await trend.locator("canvas").nth(1).waitFor();
    await page.getByTestId("trend-target").selectOption("default/reviews-v1");
    await page.waitForURL(/of=default%2Freviews-v1/);
    await trend.locator("canvas").nth(1).waitFor();
    await page.locator('[data-broken=""]').first().waitFor();
    await page.getByTestId("strict-write").click();
    await page.waitForURL(/\/config\/new\?begin=strict/);
    const editor = page.getByTestId("yaml-editor");
    await editor.waitFor();
    expect(await codeText(editor)).toMatch(/kind: PeerAuthentication.*namespace: default.*mode: STRICT/s);
    await page.getByTestId("object-diff").getByText("STRICT").first().waitFor();
    await page.getByTestId("apply").click();
    await page.getByTestId("editor-status").getByText("In force as revision").waitFor();

    await eventually(async () => (await stranger("/reviews/0")) === 0, patience, "plain text is turned away");
    await visit(page, "/security?window=300");
    const mode = page.locator('tr[data-workload^="default/reviews"]').first();
    await mode.getByText("strict").first().waitFor();
    // Proxies tell their counters every ten seconds, and what they grew by is known from the second time on.
    await eventually(
      async () => {
        await stranger("/reviews/0");
        return page.locator('[data-state="turned-away"]').first().isVisible();
      },
      patience,
      "what was turned away is counted",
    );
    await page.locator('nav [data-page="security"] b').filter({ visible: true }).waitFor({ timeout: patience });
    expect(problems).toEqual([]);
  });
});

/** The status; 0: the connection was closed without an answer. */
const plainText = (host: string, port: number, path: string): Promise<number> =>
  new Promise((done) => {
    const sent = request(
      { host, port, path, headers: { host: "reviews:9080" }, agent: false, timeout: 20_000 },
      (res) => {
        res.resume();
        done(res.statusCode ?? 0);
      },
    );
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => done(0));
    sent.end();
  });
