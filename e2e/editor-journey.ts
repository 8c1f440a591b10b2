import { expect, test } from "vitest";
import { violations } from "./axe.ts";
import { patience, reload, visit } from "./browser.ts";
import { codeText, writeCode } from "./code.ts";
import {
  apply,
  discard,
  editorOf,
  editorPage,
  fingerOf,
  focused,
  mouseOf,
  plain,
  tabTo,
  unexpected,
} from "./editor-hands.ts";
import { eventually, getThrough, reviewVersions } from "./mesh.ts";
import type { Running } from "./running.ts";

/** Rules by hand: their order, what they do to real requests, and two people at one of them. */
export function editorJourney(running: () => Running): void {
  const { write, stored, start, answering } = editorOf(running);

  test("a rule is added, moved by keyboard and switched off; each with its effect on real requests", async () => {
    const { page, problems } = await start();
    await page.getByTestId("add-rule-first").click();
    await page.getByTestId("field-http.0.match.0.uri").fill("/reviews");
    await page.getByTestId("field-http.0.route.0.destination.subset").fill("v2");
    await page.getByTestId("safety").getByText("subset: v2").waitFor();
    expect((await reviewVersions(running().mesh, 3)).v1, "nothing moves before Apply").toBe(3);
    await apply(page);
    await answering("v2");

    // Below the rule that takes everything nobody asks it any more.
    await page.getByTestId("rule-0-grip").focus();
    await page.keyboard.press("ArrowDown");
    await focused(page, "rule-1-grip");
    await page.getByTestId("rules-said").getByText("Rule 1 is rule 2 of 2 now").waitFor({ state: "attached" });
    await apply(page);
    await answering("v1");
    await page.getByTestId("rule-1-grip").focus();
    await page.keyboard.press("ArrowUp");
    await apply(page);
    await answering("v2");

    await page.getByTestId("rule-0-off").click();
    await apply(page);
    await answering("v1");
    // It is no part of the spec, and not lost.
    expect((await stored())?.spec).toMatchObject({ http: [{ route: [{ destination: { subset: "v1" } }] }] });
    await reload(page);
    await page.getByTestId("rule-0-on").click();
    await apply(page);
    await answering("v2");
    await page.getByTestId("rule-0-delete").click();
    await apply(page);
    await answering("v1");
    await focused(page, "undo");
    await page.getByTestId("undo").click();
    await answering("v2");
    // Pressed where it had the focus already, it still has it when it is done.
    await focused(page, "undo");
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test.each(["mouse", "finger"] as const)("a rule is dragged above another, by %s, and doubled", async (by) => {
    const rule = (subset: string) => ({ name: subset, route: [{ destination: { host: "reviews", subset } }] });
    const { page, problems } = await start(
      editorPage,
      by === "mouse" ? {} : { viewport: { width: 360, height: 740 }, hasTouch: true },
    );
    await write({ ...plain(), spec: { hosts: ["reviews"], http: [rule("v1"), rule("v3")] } });
    await page.getByTestId("rule-item-1").waitFor();
    // Folded, so that both are in sight.
    await page.getByTestId("rule-0-open").click();
    await page.locator('[data-testid="rule-0-open"][aria-expanded="false"]').waitFor();
    const [grip, first] = [page.getByTestId("rule-1-grip"), page.getByTestId("rule-item-0")];
    await grip.scrollIntoViewIfNeeded();
    const [from, to] = [await grip.boundingBox(), await first.boundingBox()];
    if (!from || !to) throw new Error("the rules are not in sight");
    const hand = by === "mouse" ? mouseOf(page) : await fingerOf(page);
    const x = from.x + from.width / 2;
    await hand.press(x, from.y + from.height / 2);
    await hand.move(x, to.y + 4);
    await page.locator('[data-testid="rule-item-0"][data-drop="before"]').waitFor();
    await hand.release();
    await page.getByTestId("rule-item-0").getByText("v3").first().waitFor();
    await apply(page);
    await answering("v3");
    // Its double is below it, and takes its place when it goes.
    await page.getByTestId("rule-0-duplicate").click();
    await page.getByTestId("rule-item-2").getByText("v1").first().waitFor();
    await page.getByTestId("rule-0-delete").click();
    await page.getByTestId("rule-item-2").waitFor({ state: "detached" });
    await page.getByTestId("rule-item-0").getByText("v3").first().waitFor();
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("what is wrong stands at its field, in a part that is folded at the part, and of a whole above its fields", async () => {
    const { page, problems } = await start();
    await page.getByTestId("section-cors-0").click();
    const methods = page.getByTestId("field-http.0.corsPolicy.allowMethods");
    await methods.fill("FETCH");
    await page.keyboard.press("Enter");
    const refused = page.getByTestId("object-form").getByText("must be one of GET, HEAD");
    await refused.waitFor();
    await page.getByTestId("section-cors-0").click();
    await page.getByTestId("errors-http.0.corsPolicy").getByText("allowMethods[0]").waitFor();
    await page.getByTestId("rule-0-open").click();
    await page.getByTestId("errors-http.0").getByText("corsPolicy.allowMethods[0]").waitFor();
    // What is set stands open again.
    await page.getByTestId("rule-0-open").click();
    await methods.press("Backspace");
    await refused.waitFor({ state: "detached" });

    await page.getByTestId("section-fault-0").click();
    await page.getByTestId("field-http.0.fault.abort.httpStatus").fill("503");
    await page.getByTestId("field-http.0.fault.abort.grpcStatus").click();
    await page.getByRole("option", { name: "UNAVAILABLE" }).click();
    await page.getByTestId("errors-http.0.fault.abort").getByText("only one of httpStatus, grpcStatus").waitFor();
    await page.getByTestId("field-http.0.fault.abort.httpStatus").fill("");
    await page.getByTestId("errors-http.0.fault.abort").waitFor({ state: "detached" });
    await page.getByTestId("add-match-0").click();
    await page.getByTestId("field-http.0.match.0.uri-way").click();
    await page.getByRole("option", { name: "matches" }).click();
    await page.getByTestId("field-http.0.match.0.uri").fill("(");
    await page.locator('[data-testid="field-http.0.match.0.uri"][aria-invalid="true"]').waitFor();
    await discard(page);
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("by keyboard alone: a rule is opened, its destination changed, and applied", async () => {
    const { page, problems } = await start();
    await tabTo(page, "field-http.0.route.0.destination.subset");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("v3");
    await page.keyboard.press("Escape");
    await page.getByTestId("safety").getByText("subset: v3").waitFor();
    await page.locator('[data-testid="apply"]:enabled').waitFor();
    await tabTo(page, "apply");
    await page.keyboard.press("Enter");
    await answering("v3");
    await focused(page, "undo");
    await page.keyboard.press("Enter");
    await answering("v1");
    // Nobody asked what a change would do that was written already.
    expect(problems).toEqual([]);
  });

  test("form and YAML follow each other; comments and what the form doesn't know stay; errors stand at their line", async () => {
    const { page, problems } = await start();
    // Both are in what the server sends: nobody waits for an editor to read.
    const sent = await (await page.request.get(editorPage)).text();
    expect(sent).toContain('data-testid="rule-item-0"');
    expect(sent).toMatch(/<pre[^>]*>apiVersion: networking\.istio\.io\/v1\nkind: VirtualService\n/);
    const yaml = page.getByTestId("yaml-editor");
    const written = `${(await codeText(yaml)).trimEnd()}\n      timeout: 3s # as agreed\n      mirrorPercent: 5\n`;
    await writeCode(yaml, written);
    await page.getByTestId("section-resilience-0").waitFor();
    const timeout = page.getByTestId("field-http.0.timeout");
    await timeout.waitFor();
    expect(await timeout.inputValue()).toBe("3s");
    await page.getByTestId("other-http.0").getByText("mirrorPercent").waitFor();
    await timeout.fill("4s");
    await eventually(
      async () => (await codeText(yaml)).includes("timeout: 4s # as agreed"),
      patience,
      "the YAML follows",
    );
    await page.getByTestId("field-http.0.retries.attempts").fill("3");
    await page.getByTestId("field-http.0.retries.perTryTimeout").fill("2s");
    await page.getByTestId("arithmetic-0").getByText("over the timeout of 4.00 s").waitFor();

    await page.getByTestId("field-http.0.retries.perTryTimeout").fill("soon");
    await page.getByTestId("yaml-errors").getByText("spec.http[0].retries.perTryTimeout").waitFor();
    await page.locator('[data-testid="yaml-editor"] .cm-lintRange-error').getByText("perTryTimeout").waitFor();
    expect(await page.getByTestId("apply").isDisabled()).toBe(true);
    await page.getByTestId("field-http.0.retries.perTryTimeout").fill("1s");
    await page.getByTestId("yaml-errors").waitFor({ state: "detached" });

    // What the schema knows, where somebody writes.
    await yaml.press("Control+End");
    await page.keyboard.type("      corsPo");
    await page.locator(".cm-tooltip-autocomplete").getByText("corsPolicy").waitFor();
    await page.keyboard.press("Escape");
    await yaml.locator(".cm-line").getByText("timeout", { exact: true }).hover();
    await page.locator(".cm-explained").getByText("Of the whole request with its retries").waitFor();
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("two people at one route: what fits is put together, the rest is chosen", async () => {
    const { page } = await start();
    await page.getByTestId("field-http.0.route.0.destination.subset").fill("v2");
    await page.getByTestId("field-http.0.name").fill("mine");
    await page.getByTestId("safety").getByText("subset: v2").waitFor();
    const theirs = plain({ timeout: "9s" });
    theirs.spec.http = [{ route: [{ destination: { host: "reviews", subset: "v3" } }], timeout: "9s" }];
    await write(theirs, "bob");
    const conflict = page.getByTestId("conflict");
    await conflict.getByText("bob changed it meanwhile").waitFor();
    expect(await page.getByTestId("apply").isDisabled()).toBe(true);
    await page.getByTestId("merge-1-mine").check();
    const merged = page.getByTestId("merged-yaml");
    await eventually(
      async () => {
        const text = await codeText(merged);
        return text.includes("subset: v2") && !text.includes("subset: v3");
      },
      patience,
      "the choice is in the merged text",
    );
    await page.getByTestId("merge-1-theirs").check();
    await eventually(async () => (await codeText(merged)).includes("subset: v3"), patience, "theirs is in it");
    await page.getByTestId("merge-1-mine").check();
    await page.getByTestId("conflict-merged").click();
    await conflict.waitFor({ state: "detached" });
    await apply(page);
    await answering("v2");
  });

  test("a canary goes beside the version that has the traffic; an answer of the proxy's own says what callers get", async () => {
    const { page, problems } = await start();
    await write({
      ...plain(),
      spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews", subset: "v3" } }] }] },
    });
    await answering("v3");
    await page.getByTestId("rule-0-open").getByText("v3").waitFor();
    await page.getByTestId("templates").click();
    await page.getByTestId("template-canary").click();
    await page.getByTestId("traffic-moves").getByText("100 % → 90 %").waitFor();
    await discard(page);

    await page.getByTestId("add-rule-first").click();
    await page.getByTestId("field-http.0.match.0.uri").fill("/gone");
    await page.getByTestId("action-0").getByText("answer").click();
    const said = page.getByTestId("direct-says-0");
    await said.getByText("gets 503 Service Unavailable, with nothing in it").waitFor();
    await page.getByTestId("field-http.0.directResponse.status").fill("410");
    await said.getByText("gets 410 Gone").waitFor();
    await discard(page);
    expect(problems.filter(unexpected)).toEqual([]);
  });

  test("a template's objects are made, and deleted again; a preview moves only who asks for it", async () => {
    const { page, problems } = await start();
    await page.getByTestId("templates").click();
    await page.getByTestId("template-preview").click();
    await page.getByTestId("traffic-moves").getByText("where header x-preview = v3").first().waitFor();
    await apply(page);
    await eventually(
      async () =>
        /"podname":"reviews-v3"/.test(
          (await getThrough(running().mesh.gateway, "/api/v1/products/0/reviews", { "x-preview": "v3" })).body,
        ),
      patience,
      "who asks for the preview gets it",
    );
    expect(await reviewVersions(running().mesh, 3), "others don't").toEqual({ v1: 3 });
    await page.getByTestId("templates").click();
    await page.getByTestId("template-egress").click();
    await page.getByTestId("safety").getByText("api.example.com").first().waitFor();
    await apply(page);
    await visit(page, "/config/ServiceEntry/default/example-api");
    await page.getByTestId("delete-object").click();
    await page.getByTestId("safety").locator(".cm-deletedLine").first().waitFor();
    await apply(page);
    await page.getByText("Somebody deleted this object").waitFor();
    // That it is not there any more is said as an error, too.
    expect(problems.filter((problem) => unexpected(problem) && !problem.includes("name=example-api"))).toEqual([]);
  });

  test.each([
    [360, "dark"],
    [1440, "light"],
    [2560, "dark"],
  ] as const)("at %i px, %s: an opened rule with a change keeps nobody out", async (width, colorScheme) => {
    const { page } = await start(editorPage, {
      viewport: { width, height: 900 },
      colorScheme,
      reducedMotion: "reduce",
    });
    for (const part of ["resilience", "mirrors", "rewrite", "fault", "headers", "cors"])
      await page.getByTestId(`section-${part}-0`).click();
    await page.getByTestId("field-http.0.timeout").fill("2s");
    // A diff that is out of sight is not made.
    await page.getByTestId("safety").scrollIntoViewIfNeeded();
    await page.locator('[data-testid="safety"] [data-testid="object-diff"]').scrollIntoViewIfNeeded();
    await page.getByTestId("safety").locator(".cm-insertedLine, .cm-changedLine").first().waitFor();
    expect(await violations(page)).toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wide).toBe(false);
  });
}
