import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { patience, visit } from "./browser.ts";
import { apiOf, setReviews } from "./config.ts";
import { eventually, limpid, reviewVersions, type TestMesh } from "./mesh.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";

/** Long enough that the window's requests are of before and after, short enough to wait for. */
const asked = 12;

describe.skipIf(chromium.missing)(`the management plane's pages${chromium.reason}`, () => {
  const running = meshAndBrowser();
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), "limpid-plane-"));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  };
  const newestRevision = async () =>
    (await apiOf(running().mesh).changes({ sinceMs: 0, limit: 1 })).changes[0]?.revision ?? 0;
  /** Every answer is of this version, asked often enough to tell. */
  const onlyOf = (version: string) =>
    eventually(
      async () => (await reviewVersions(running().mesh, asked))[version] === asked,
      patience,
      `only ${version} answers`,
    );

  test("history: an object is restored as it was, and the traffic with it", async () => {
    await setReviews(running().mesh, 100, 0, 0);
    const then = await newestRevision();
    await setReviews(running().mesh, 0, 0, 100);
    const last = await newestRevision();
    await onlyOf("v3");
    const { page, problems } = await running().open("/history?object=virtualservice+reviews");
    // Undo is of the last word only.
    await page.getByTestId(`undo-${last}`).waitFor();
    await page.getByTestId(`overtaken-${then}`).waitFor();
    await page.getByTestId(`revision-menu-${then}`).click();
    await page.getByTestId("restore-object").click();
    await page.getByTestId("mesh-plan-dialog").getByText("weight: 100").first().waitFor();
    await page.getByTestId("mesh-plan-confirm").click();
    await page.getByTestId("mesh-plan-dialog").waitFor({ state: "detached" });
    await onlyOf("v1");
    const [restored] = (await apiOf(running().mesh).changes({ sinceMs: 0, limit: 1 })).changes;
    expect(restored?.words[0]).toEqual({ code: "restore", revision: then });
    await page.locator(`[data-revision="${restored?.revision}"]`).waitFor();
    expect(problems).toEqual([]);
  });

  test("history: any two revisions are compared, and the whole mesh goes back to one of them", async () => {
    await setReviews(running().mesh, 0, 100, 0);
    const then = await newestRevision();
    await setReviews(running().mesh, 100, 0, 0);
    await onlyOf("v1");
    const { page } = await running().open(`/history?from=r${then}&to=now`);
    const difference = page.locator('[data-object="VirtualService/default/reviews"]');
    await difference.getByText("weight: 100").first().waitFor();
    await page.getByTestId("side-from").getByTestId("restore-side").click();
    await page.getByTestId("mesh-plan-confirm").click();
    await onlyOf("v2");
    await page.getByTestId("compare").getByText("No difference").waitFor();
  });

  test("history: filters are the address, and say what to do when nothing fits", async () => {
    const { page } = await running().open("/history?author=nobody-of-this-name");
    // The comparison beside it may have nothing to show either, for a moment.
    const nothing = page.getByTestId("empty-state").filter({ hasText: "No change matches" });
    await nothing.waitFor();
    await nothing.getByRole("button").click();
    await page.locator("[data-revision]").first().waitFor();
    await page.getByTestId("history-type").selectOption("traffic");
    await page.waitForURL(/type=traffic/);
    await eventually(
      async () => (await page.locator('[data-revision]:not([data-kind="traffic"])').count()) === 0,
      patience,
      "only shifts of traffic are listed",
    );
    // Of a time, by the picker of every page, and of any again.
    const picker = page.getByTestId("window-picker");
    await picker.click();
    await page.getByTestId("window-3600").click();
    await page.waitForURL(/since=\d+/);
    await picker.getByText(/^since .*\d\d:\d\d$/).waitFor();
    await page.locator("[data-revision]").first().waitFor();
    await picker.click();
    await page.getByTestId("window-any").click();
    await picker.getByText("any time").waitFor();
    expect(new URL(page.url()).searchParams.has("since")).toBe(false);
  });

  test("the mesh is exported, edited and imported, and no more is deleted than is said", async () => {
    await setReviews(running().mesh, 100, 0, 0);
    const { page } = await running().open("/history?from=file&to=now");
    const download = page.waitForEvent("download");
    await page.getByTestId("export-mesh").click();
    const exported = join(folder(), "mesh.yaml");
    await (await download).saveAs(exported);
    const text = readFileSync(exported, "utf8");
    expect(text).toContain("kind: VirtualService");
    const file = join(folder(), "edited.yaml");
    const [reviews = ""] = text.split("---\n").filter((one) => /kind: VirtualService[\s\S]*name: reviews\n/.test(one));
    const [v1, v3] = [/subset: v1\n(\s+)weight: 100/, /subset: v3\n/];
    expect(reviews).toMatch(v1);
    // Written without a weight where it is none.
    const edited = reviews.replace(v1, "subset: v1\n$1weight: 0").replace(v3, "subset: v3\n          weight: 100\n");
    writeFileSync(file, edited.replace(/(weight: 100\n)\s+weight: 0\n/, "$1"));
    await page.getByTestId("side-from").locator('input[type="file"]').setInputFiles(file);
    // What the file does not name is on the right alone.
    await page.locator('[data-object="Gateway/default/bookinfo-gateway"]').waitFor();
    await page.getByTestId("import-mesh").click();
    const dialog = page.getByTestId("mesh-plan-dialog");
    await dialog.getByText("weight: 100").first().waitFor();
    expect(await dialog.getByTestId("object-diff").count()).toBe(1);
    await page.getByTestId("mesh-plan-confirm").click();
    await onlyOf("v3");
  });

  test("an import that takes the endpoints of live traffic names them, and is confirmed a second time", async () => {
    await setReviews(running().mesh, 100, 0, 0);
    await onlyOf("v1");
    const { page } = await running().open("/history?from=file&to=now");
    const exported = await (await running().mesh.ask("/api/mesh")).text();
    const documents = exported.split("---\n");
    const left = documents.filter((text) => !/kind: WorkloadEntry[\s\S]*name: reviews-v1\n/.test(text));
    expect(left.length).toBe(documents.length - 1);
    const file = join(folder(), "less.yaml");
    writeFileSync(file, left.join("---\n"));
    await page.getByTestId("side-from").locator('input[type="file"]').setInputFiles(file);
    await page.getByTestId("import-prune").check();
    await page.getByTestId("import-mesh").click();
    const dialog = page.getByTestId("mesh-plan-dialog");
    await dialog.getByTestId("dead-shares").getByText("reviews v1, which loses its last endpoint").waitFor();
    const confirm = page.getByTestId("mesh-plan-confirm");
    await confirm.getByText("Delete 1 object").click();
    await confirm.getByText("Take from reviews v1 all that reaches it").waitFor();
    expect((await reviewVersions(running().mesh, 3)).v1, "one press does nothing").toBe(3);
    const then = await newestRevision();
    await confirm.click();
    await dialog.waitFor({ state: "detached" });
    await eventually(
      async () => ((await reviewVersions(running().mesh, 3)).v1 ?? 0) === 0,
      patience,
      "nobody is there to answer",
    );
    await visit(page, `/history?from=r${then}&to=now`);
    await page.getByTestId("side-from").getByTestId("restore-side").click();
    await page.getByTestId("mesh-plan-confirm").click();
    await onlyOf("v1");
  });

  test("gateways: listeners with the end of their certificate, routes with their traffic, trouble named", async () => {
    const { page, problems } = await running().open("/gateways");
    const gateway = page.getByTestId("gateway-bookinfo-gateway");
    await gateway.locator('[data-port="8443"]').getByText(/ends /).waitFor();
    await eventually(
      async () => /[1-9][\d.]* rps/.test((await gateway.locator('[data-route^="productpage"]').textContent()) ?? ""),
      patience,
      "the route's requests are counted",
    );
    await limpidApply(running().mesh, [
      "apiVersion: networking.istio.io/v1",
      "kind: Gateway",
      "metadata: { name: nobody, namespace: default }",
      "spec:",
      "  selector: { istio: nobody }",
      "  servers: [{ port: { number: 9443, name: http, protocol: HTTP }, hosts: ['*'] }]",
    ]);
    await page.getByTestId("gateway-nobody").getByText("nobody listens").waitFor();
    expect(await page.locator('section[data-testid^="gateway-"]').first().getAttribute("data-testid")).toBe(
      "gateway-nobody",
    );
    expect(problems).toEqual([]);
  });

  test("workloads: both ways of the traffic, who calls and is called, and the policy of a port", async () => {
    await setReviews(running().mesh, 0, 100, 0);
    await limpidApply(running().mesh, [
      "apiVersion: security.istio.io/v1",
      "kind: PeerAuthentication",
      "metadata: { name: strict-reviews, namespace: default }",
      "spec: { selector: { matchLabels: { app: reviews } }, mtls: { mode: STRICT } }",
    ]);
    const { page, problems } = await running().open("/workloads");
    const row = page.locator('[data-workload="default/reviews-v2"]');
    await row.getByText("strict").waitFor();
    await row.getByRole("button", { name: "reviews-v2", exact: true }).click();
    const sheet = page.getByTestId("workload-sheet");
    await sheet.locator('[data-peer="productpage"]').waitFor();
    await sheet.locator('[data-peer="ratings"]').waitFor();
    await sheet.getByRole("link", { name: /strict-reviews/ }).waitFor();
    await sheet.getByRole("link", { name: /limpid-sidecar/ }).click();
    await page.waitForURL(/\/proxies\?proxy=.*reviews-v2/);
    await visit(page, "/workloads?workload=default%2Fnobody");
    await page.getByTestId("workload-gone").getByText("There is no such workload").waitFor();
    expect(problems).toEqual([]);
  });

  test("proxies: rows lead to the rule behind them; the log level is set and set back; the bundle has no key", async () => {
    const { page, problems } = await running().open("/proxies");
    await page.getByTestId("proxy-row-productpage-v1").getByRole("button", { name: "productpage-v1" }).click();
    await page.getByTestId("held-routes").click();
    await page.getByTestId("row-filter").fill("reviews");
    const rule = page
      .getByTestId("table-routes")
      .getByRole("link", { name: /VirtualService reviews/ })
      .first();
    expect(await rule.getAttribute("href")).toMatch(/\/config\/VirtualService\/default\/reviews\?rule=http/);
    await page.getByTestId("held-clusters").click();
    await page.getByTestId("table-clusters").getByText("details.default.svc.cluster.local").first().waitFor();
    await page.getByTestId("held-load").click();
    await page.getByTestId("table-load").getByText("outbound|9080||details.default.svc.cluster.local").waitFor();
    await page.getByTestId("held-stats").click();
    await page.getByTestId("stat-filter").fill("upstream_rq_total");
    await page
      .getByTestId("proxy-stats")
      .getByText(/upstream_rq_total/)
      .first()
      .waitFor();

    const level = page.getByTestId("log-level");
    expect(await level.inputValue()).toBe("info");
    await level.selectOption("debug");
    await page.getByTestId("log-level-reset").click();
    await eventually(async () => (await level.inputValue()) === "info", patience, "the level is as it was");

    const download = page.waitForEvent("download");
    await page.getByTestId("proxy-bundle").click();
    expect((await download).suggestedFilename()).toMatch(/^limpid-productpage-v1-.*\.tar\.gz$/);
    const file = join(folder(), "mesh.tar.gz");
    const { code, out } = await limpid([
      "debug-bundle",
      "-o",
      file,
      "--port-offset",
      String(running().mesh.portOffset),
    ]);
    expect([code, out]).toEqual([0, `${file}\n`]);
    const { gunzipSync } = await import("node:zlib");
    const content = gunzipSync(readFileSync(file)).toString("latin1");
    expect(content).toContain("kind: VirtualService");
    expect(content).not.toContain("PRIVATE KEY");
    expect(problems).toEqual([]);
  });

  test("topology: services, namespaces, hidden, in focus, kept, and taken out as SVG and JSON", async () => {
    await setReviews(running().mesh, 40, 30, 30);
    const { page, problems } = await running().open("/topology");
    await page.locator('[data-node="default/reviews/v3"]').waitFor({ state: "attached" });
    await page.getByTestId("shown").click();
    await page.getByTestId("by-app").click();
    await page.locator('[data-node="default/reviews"]').waitFor({ state: "attached" });
    expect(await page.locator('[data-node^="default/reviews/"]').count()).toBe(0);
    await page.getByTestId("ns-default").click();
    await page.locator('[data-node="unknown/unknown/unknown"]').waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.getByTestId("hide").fill('"/details/"');
    await page.locator('[data-node="default/details"]').waitFor({ state: "detached" });
    await page.getByTestId("hide").fill("not nothing");
    await page.getByTestId("empty-state").getByText("What is chosen leaves nothing of the graph").waitFor();
    await page.getByTestId("hide").fill("");
    await page.locator('[data-node="default/details"] button').focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("panel-focus").click();
    await page.locator('[data-node="default/ratings"]').waitFor({ state: "detached" });
    await page.getByTestId("focus-bar").getByRole("button", { name: "Farther" }).click();
    await page.locator('[data-node="default/reviews"]').waitFor({ state: "attached" });
    await keepAndOpenView(page);
    await visit(page, "/topology?focus=default%2Fnobody");
    await page.getByTestId("focus-bar").getByText("nobody is not on this graph").waitFor();
    await visit(page, "/topology?by=app&focus=default%2Fdetails&hops=2");
    await page.locator('[data-node="default/details"]').waitFor({ state: "attached" });

    const [svg, json] = [await exported(page, "svg"), await exported(page, "json")];
    expect(svg).toContain(">reviews<");
    expect((JSON.parse(json) as { nodes: { id: string }[] }).nodes.map(({ id }) => id)).toContain("default/details");
    await page.getByTestId("legend").click();
    await page.getByTestId("legend-list").getByText("requests are mirrored").waitFor();
    expect(problems).toEqual([]);
  });

  test("a fault is red and in words on the graph, long before a minute is full of it", async () => {
    await setReviews(running().mesh, 0, 0, 100);
    const { page } = await running().open("/topology?window=60");
    const edge = page.locator('li[data-source="default/reviews/v3"][data-target="default/ratings/v1"]');
    await eventually(async () => (await edge.getAttribute("data-health")) === "healthy", 90_000, "a calm minute");
    await apiOf(running().mesh).injectFault(
      {
        namespace: "default",
        service: "ratings",
        delay: null,
        abort: { percentage: 50, httpStatus: 503 },
        header: null,
        durationSec: 300,
      },
      { user: "e2e" },
    );
    await eventually(async () => (await edge.getAttribute("data-health")) === "failing", patience, "the call is red");
    await edge.locator("button").focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("panel-faults").getByText("50 % answered with 503").waitFor();
    await page.getByTestId("panel-faults").getByTestId("fault-stop-ratings").click();
    await page.getByTestId("panel-faults").waitFor({ state: "detached" });
  });

  test("keys, their map, the settings and the tour", async () => {
    const { page, problems } = await running().open("/overview");
    await page.getByTestId("tour").waitFor();
    for (let step = 0; step < 6; step++) await page.getByTestId("tour-next").click();
    await page.getByTestId("tour").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    await page.waitForURL("**/history");
    await page.keyboard.press("?");
    await page.getByTestId("shortcut-map").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("shortcut-map").waitFor({ state: "detached" });
    await visit(page, "/settings");
    await page.getByTestId("start-page").click();
    await page.getByRole("option", { name: "Workloads" }).click();
    await visit(page, "/");
    await page.waitForURL("**/workloads");
    await visit(page, "/overview");
    await page.locator("h1").waitFor();
    expect(await page.getByTestId("tour").count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test("on a phone every page is two taps away, and its trouble is counted", async () => {
    const { page } = await running().open("/overview", {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
    });
    for (const name of ["Explain", "Gateways", "History", "Proxies"]) {
      await page.getByTestId("more-pages").tap();
      await page.getByTestId("more-sheet").getByRole("link", { name }).tap();
      await page.getByRole("heading", { level: 1, name: new RegExp(name) }).waitFor();
    }
  });
});

async function limpidApply(mesh: TestMesh, lines: readonly string[]): Promise<void> {
  const made = mkdtempSync(join(tmpdir(), "limpid-apply-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  const file = join(made, "object.yaml");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const { code, err } = await limpid(["apply", "-f", file, "--port-offset", String(mesh.portOffset)]);
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  onTestFinished(async () => {
    await limpid(["delete", "-f", file, "--port-offset", String(mesh.portOffset)]);
  });
}

/** The view is kept by name, and opened again from an address that says nothing. */
async function keepAndOpenView(page: Page): Promise<void> {
  await page.getByTestId("saved-views").click();
  await page.getByTestId("view-save").click();
  await page.getByTestId("view-name").fill("around details");
  await page.keyboard.press("Enter");
  await page.getByTestId("view-name").waitFor({ state: "detached" });
  await visit(page, "/topology");
  await page.getByTestId("saved-views").click();
  await page.getByTestId("view-around details").click();
  await page.waitForURL(/by=app.*focus=default/);
  await page.locator('[data-node="default/details"]').waitFor({ state: "attached" });
}

async function exported(page: Page, format: "svg" | "json"): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByTestId("export").click();
  await page.getByTestId(`export-${format}`).click();
  return readFileSync(await (await download).path(), "utf8");
}
