import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { holdScripts, visit } from "./browser.ts";
import { limpid } from "./mesh.ts";
import { meshAndBrowser } from "./running.ts";
import { sessionCookie } from "./session.ts";
import { browser as chromium } from "./tools.ts";

const json = { "content-type": "application/json" };
const password = "a lagoon at dusk";

describe.skipIf(chromium.missing)(`coming in at the console${chromium.reason}`, () => {
  const running = meshAndBrowser();
  const stranger = (path: string, options = {}) => running().open(path, { signedIn: false, ...options });
  const printedLink = () => /sign in {6}(\S+#link=\S+)/.exec(running().mesh.output())?.[1] ?? "none";

  test("a stranger learns where the link is, and nothing of the mesh", async () => {
    const { page } = await stranger("/services/default/reviews?tab=config");
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(
      `/sign-in?${new URLSearchParams({ next: "/services/default/reviews?tab=config" })}`,
    );
    expect(await page.getByTestId("sign-in-hint").textContent()).toContain(
      `npx limpid console-link --port-offset ${running().mesh.portOffset}`,
    );
    const html = await (await fetch(`${running().mesh.dashboard}/sign-in`)).text();
    for (const word of ["productpage-v1", "istio-ingressgateway"]) expect(html).not.toContain(word);
    expect((await fetch(`${running().mesh.dashboard}/api/status`)).status).toBe(401);
    expect((await fetch(`${running().mesh.dashboard}/api/healthz`)).status).toBe(200);
  });

  test("the link of the terminal lets in, once, and leaves no trace in the address", async () => {
    const { page } = await stranger(printedLink());
    await page.waitForURL("**/overview");
    expect(await page.getByTestId("user-menu").textContent()).toContain("admin");
    const other = await stranger(printedLink());
    await other.page.getByTestId("sign-in-error").waitFor();
    expect(await other.page.getByTestId("sign-in-error").textContent()).toContain("console-link");
    expect(new URL(other.page.url()).hash).toBe("");
  });

  test("`limpid console-link` prints another one, for whoever may read the data folder", async () => {
    const asked = ["console-link", "-q", "--port-offset", String(running().mesh.portOffset)];
    const { out, code } = await limpid(asked);
    expect([code, out]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/sign-in#link=[\w-]{43}\n$/)]);
    const { page } = await stranger(out.trim());
    await page.waitForURL("**/overview");
    const elsewhere = await limpid(asked, { ...process.env, LIMPID_DATA: "/nonexistent" });
    expect([elsewhere.code, elsewhere.err]).toEqual([1, expect.stringContaining("LIMPID_DATA")]);
  });

  test("commands come in by the data folder, or by a token with a scope", async () => {
    const offset = ["--port-offset", String(running().mesh.portOffset)];
    expect((await limpid(["graph", "-o", "json", ...offset])).code).toBe(0);
    const none = { ...process.env, LIMPID_DATA: "/nonexistent" };
    const refused = await limpid(["graph", ...offset], none);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("LIMPID_TOKEN")]);
    const made = await running().mesh.ask("/api/tokens", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name: "ci", grants: [{ role: "viewer", namespace: "*" }], ttlSec: 60 }),
    });
    const { token } = (await made.json()) as { token: string };
    expect((await limpid(["graph", "-o", "json", ...offset], { ...none, LIMPID_TOKEN: token })).code).toBe(0);
    const write = await fetch(`${running().mesh.dashboard}/api/apply`, {
      method: "POST",
      headers: { ...json, authorization: `Bearer ${token}` },
      body: "{}",
    });
    expect(write.status).toBe(403);
  });

  test("a password, a way out, and the way back to where one was", async () => {
    await addUser({ name: "ana", grants: [{ role: "operator", namespace: "*" }] });
    const { page } = await as("ana", "/settings");
    await page.getByTestId("new-password").fill(password);
    await page.getByTestId("password-save").click();
    await page.getByText("Other browsers of yours are signed out").waitFor();
    await page.getByTestId("user-menu").click();
    await page.getByTestId("sign-out").click();
    await page.waitForURL("**/sign-in");
    await visit(page, "/proxies?sync=out");
    await page.getByTestId("sign-in-name").fill("Ana");
    await page.getByTestId("sign-in-password").fill("not the password");
    await page.getByTestId("sign-in").click();
    await page.getByTestId("sign-in-error").waitFor();
    await page.getByTestId("sign-in-password").fill(password);
    await page.getByTestId("sign-in").click();
    await page.waitForURL("**/proxies?sync=out");
  });

  test("a password that is sent before the page is alive comes into no address", async () => {
    const { page } = await stranger("/sign-in");
    const addresses: string[] = [];
    page.on("request", (request) => addresses.push(request.url()));
    const arrive = await holdScripts(page);
    await page.goto("/sign-in?next=%2Fproxies", { waitUntil: "commit" });
    await page.getByTestId("sign-in-name").fill("Ana");
    await page.getByTestId("sign-in-password").fill(password);
    await page.getByTestId("sign-in").click();
    arrive();
    await page.waitForURL("**/proxies");
    expect(addresses.filter((address) => address.includes("lagoon"))).toEqual([]);
  });

  test("a session that ends elsewhere leads to the sign-in page by itself", async () => {
    await addUser({ name: "bo", grants: [{ role: "viewer", namespace: "*" }] });
    const { page } = await as("bo", "/overview");
    await page.getByTestId("golden").waitFor();
    await running().mesh.ask("/api/users/bo/sign-out", { method: "POST", headers: json, body: "{}" });
    await page.waitForURL("**/sign-in?next=%2Foverview");
  });

  test("a viewer is offered nothing that writes, and refused when they try", async () => {
    await addUser({ name: "vera", grants: [{ role: "viewer", namespace: "*" }] });
    const { page } = await as("vera", "/services/default/reviews");
    await page.getByTestId("split-bar").waitFor();
    expect(await page.getByRole("slider").count()).toBe(0);
    expect(await page.getByTestId("canary-new").count()).toBe(0);
    expect(await page.locator('[data-page="users"], [data-page="audit"]').count()).toBe(0);
    await visit(page, "/faults?fault=new");
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await page.getByTestId("inject-fault").count()).toBe(0);
    expect(await page.getByTestId("fault-start").count()).toBe(0);
    await visit(page, "/config");
    await page.locator('[data-object="VirtualService/default/reviews"]').waitFor();
    expect(await page.getByTestId("new-object").count()).toBe(0);
    await visit(page, "/config/VirtualService/default/reviews");
    await page.getByTestId("yaml-editor").getByText("kind").first().waitFor();
    expect(await page.locator('[data-testid="delete-object"], [data-testid="safety"]').count()).toBe(0);
    // The forms can be read, and nothing in them changed.
    await visit(page, "/services/default/reviews");
    await page.getByRole("button", { name: "Read rules" }).click();
    await page.getByTestId("field-http.0.route.0.destination.subset").waitFor();
    expect(await page.getByTestId("field-http.0.route.0.destination.subset").isDisabled()).toBe(true);
    expect(await page.locator('[data-testid="object-form"] :is(input, textarea):enabled').count()).toBe(0);
    expect(
      await page.locator('[data-testid="safety"], [data-testid="templates"], [data-testid="remove-object"]').count(),
    ).toBe(0);
    await visit(page, "/alerts");
    await page.getByText("Nothing to tell").waitFor();
    expect(await page.locator('[data-testid="receiver-form"], a[href="/config/new?begin=alert"]').count()).toBe(0);
    await visit(page, "/config");
    expect(await page.locator('[data-testid^="undo-"]').count()).toBe(0);
    expect((await visit(page, "/users"))?.status()).toBe(403);
    await page.getByText("This page is for administrators").waitFor();
    expect(await writes(page)).toEqual([403, 403, 403]);
  });

  test("an operator of one namespace has that one, also where a write reaches another", async () => {
    await addUser({ name: "nell", grants: [{ role: "operator", namespace: "elsewhere" }] });
    const { page } = await as("nell", "/services/default/reviews");
    await page.getByTestId("split-bar").waitFor();
    expect(await page.getByRole("slider").count()).toBe(0);
    expect(await writes(page)).toEqual([403, 403, 403]);
  });

  test("the audit shows who did what, and what was refused", async () => {
    await running().mesh.ask("/api/apply", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ yaml: "apiVersion: v1\nkind: Namespace\nmetadata: { name: audited }\n" }),
    });
    const { page } = await running().open("/audit");
    const write = page.locator('tr[data-action="config.write"]').first();
    await write.waitFor();
    expect(await write.textContent()).toContain("Change the config Namespace audited");
    await write.locator("summary").click();
    expect(await write.locator("pre").textContent()).toContain("+kind: Namespace");
    await visit(page, "/audit?result=refused&actor=vera");
    await page.locator("tbody tr").first().waitFor();
    expect(await page.locator("tbody tr").first().textContent()).toContain("vera");
    const log = readFileSync(`${running().mesh.data}/logs/dashboard.log`, "utf8");
    expect(log).toContain('"action":"sign-in"');
    expect(log).not.toContain(password);
  });

  async function addUser(user: object): Promise<void> {
    const made = await running().mesh.ask("/api/users", { method: "POST", headers: json, body: JSON.stringify(user) });
    expect(made.status, await made.clone().text()).toBe(200);
  }

  async function as(name: string, path: string): Promise<{ page: Page }> {
    const opened = await stranger("/sign-in");
    await opened.page.context().addCookies([await sessionCookie(running().mesh, name)]);
    await visit(opened.page, path);
    return opened;
  }
});

/** As the page itself would send them. */
const writes = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const calls: [string, string, object][] = [
      [
        "PUT",
        "/api/services/default/reviews/routing/weights",
        { rule: 0, weights: { v1: 100 }, resourceVersion: null },
      ],
      ["POST", "/api/apply", { yaml: "apiVersion: v1\nkind: Namespace\nmetadata: { name: mine }\n" }],
      ["DELETE", "/api/proxies/nobody", {}],
    ];
    const statuses: number[] = [];
    for (const [method, path, body] of calls) {
      const headers = { "content-type": "application/json" };
      statuses.push((await fetch(path, { method, headers, body: JSON.stringify(body) })).status);
    }
    return statuses;
  });
