import type { Route } from "playwright-core";
import { expect, test } from "vitest";
import { rateLimit } from "../server/config/kinds/rate-limit.ts";
import { patience } from "./browser.ts";
import { codeText, writeCode } from "./code.ts";
import { apiOf } from "./config.ts";
import { apply, discard, editorOf, focused, policyPage, unexpected } from "./editor-hands.ts";
import { eventually, reviewVersions } from "./mesh.ts";
import type { Running } from "./running.ts";

/** How a service is called, by hand: connections, policies and limits. */
export function policyJourney(running: () => Running): void {
  const { start } = editorOf(running);

  test("rules of connections have a form: made, limited to a server name, put in order, in step with the YAML", async () => {
    const { page, problems } = await start();
    const yaml = page.getByTestId("yaml-editor");
    await page.getByTestId("section-connections").click();
    await page.getByTestId("add-tcp-rules").click();
    await page.getByTestId("add-match-tcp-0").click();
    await page.getByTestId("field-tcp.0.match.0.port").fill("9080");
    await page.getByTestId("add-tls-rules").click();
    const names = page.getByTestId("field-tls.0.match.0.sniHosts");
    await names.waitFor();
    await page.getByTestId("tcp-add-rule-first").click();
    await page.getByTestId("tcp-rule-0-grip").focus();
    await page.keyboard.press("ArrowDown");
    await focused(page, "tcp-rule-1-grip");
    const text = await codeText(yaml);
    expect(text).toMatch(/tcp:[\s\S]*port: 9080[\s\S]*port: 9000/);
    expect(text).toMatch(/tls:\s+- match:\s+- port: 443\s+sniHosts:\s+- reviews/);
    await page.getByTestId("tls-rule-0-delete").click();
    await page.getByTestId("tcp-rule-1-delete").click();
    // What the YAML says is what the form shows.
    await writeCode(yaml, (await codeText(yaml)).replace("port: 9080", "port: 9081"));
    await page.locator('[data-testid="tcp-rule-0-open"][aria-expanded="false"]').click();
    await eventually(
      async () => (await page.getByTestId("field-tcp.0.match.0.port").inputValue()) === "9081",
      patience,
      "the form follows",
    );
    await page.getByTestId("safety").getByText("port: 9081").waitFor();
    await discard(page);
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("localities, single ports and rate limits have a form; what proxies would get stands beside the YAML", async () => {
    const { page, problems } = await start(policyPage);
    await page.getByTestId("section-locality-host").click();
    await page.getByTestId("add-distribute").click();
    await page.getByTestId("field-trafficPolicy.loadBalancer.localityLbSetting.distribute.0.from").fill("eu/*");
    await page.getByTestId("locality-name-region2/*").fill("us/*");
    await page.keyboard.press("Enter");
    await page.getByTestId("section-ports-host").click();
    await page.getByTestId("add-port-host").click();
    await page.getByTestId("field-trafficPolicy.portLevelSettings.0.connectionPool.tcp.connectTimeout").fill("2s");
    await page.getByTestId("safety").getByText("connectTimeout: 2s").waitFor();
    const text = await codeText(page.getByTestId("yaml-editor"));
    expect(text).toMatch(/portLevelSettings:\s+- port:\s+number: 9080/);
    expect(text).toMatch(/from: eu\/\*\s+to:\s+(region1\/\*: 80\s+us\/\*: 20|us\/\*: 20\s+region1\/\*: 80)/);
    await page.getByTestId("diff-envoy").click();
    await page.getByTestId("envoy-diff").getByText("outbound|9080|v1|reviews").first().waitFor();
    await page.getByTestId("diff-yaml").click();
    await discard(page);

    await page.getByTestId("templates").click();
    await page.getByTestId("template-limit").click();
    const requests = page.getByTestId("field-local.requests");
    await requests.waitFor();
    await requests.fill("700");
    await page.getByTestId("field-local.per").fill("30s");
    await page.getByTestId("safety").getByText("requests: 700").waitFor();
    await apply(page);
    const limits = await apiOf(running().mesh).objects(rateLimit);
    expect(limits.map(({ spec }) => spec)).toMatchObject([{ local: { requests: 700, per: "30s" } }]);
    await page.getByTestId("undo").click();
    await eventually(
      async () => (await apiOf(running().mesh).objects(rateLimit)).length === 0,
      patience,
      "the limit is taken back",
    );
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("what takes its endpoints from live traffic is named, and confirmed a second time", async () => {
    const { page, problems } = await start(policyPage);
    await page.getByTestId("remove-object").click();
    const dead = page.getByTestId("dead-shares");
    await dead.getByText("100 % of rule 1 goes to reviews v1, which loses its last endpoint").waitFor();
    await page.getByTestId("traffic-moves").getByText("reviews v1").waitFor();
    await page.locator('[data-testid="apply"]:enabled').click();
    await page.getByTestId("apply").getByText("Take from reviews v1 all that reaches it").waitFor();
    expect((await reviewVersions(running().mesh, 3)).v1, "one press does nothing").toBe(3);
    await page.getByTestId("discard").click();
    await dead.waitFor({ state: "detached" });
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("a dry run that nobody answered is asked again; who has traffic is waited for, and not for ever", async () => {
    const { page } = await start(policyPage);
    let silent = true;
    await page.route("**/api/apply?**", (route) =>
      silent
        ? route.fulfill({ status: 503, json: { code: "INTERNAL", message: "Nobody is there." } })
        : route.continue(),
    );
    const services: Route[] = [];
    await page.route("**/api/services?**", (route) => void services.push(route));
    await page.getByTestId("remove-object").click();
    await page.getByTestId("safety").getByText("Nobody is there.").waitFor();
    expect(await page.getByTestId("apply").isDisabled()).toBe(true);
    silent = false;
    await page.getByTestId("dead-shares").getByText("which loses its last endpoint").waitFor();
    await page.locator('[data-testid="apply"]:enabled').click();
    await page.getByTestId("apply").getByText("Take from reviews v1 all that reaches it").waitFor();
    expect(services.length, "the list of services was asked for and has not come").toBeGreaterThan(0);
    await page.getByTestId("discard").click();
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  test("circuit breakers stand beside what they hold right now", async () => {
    const { page, problems } = await start(policyPage);
    await page.getByTestId("section-breaker-host").click();
    await page.getByTestId("breaker-use").getByText("productpage-v1").first().waitFor();
    await page.getByTestId("field-trafficPolicy.connectionPool.http.http2MaxRequests").fill("50");
    await page.getByTestId("breaker-use").getByText("of 50").first().waitFor();
    await page.getByTestId("safety").getByText("http2MaxRequests: 50").waitFor();
    await discard(page);
    expect(problems.filter(unexpected)).toEqual([]);
  });
}
