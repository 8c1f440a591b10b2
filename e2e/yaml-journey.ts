import { expect, test } from "vitest";
import { patience } from "./browser.ts";
import { codeText, writeCode } from "./code.ts";
import { eventually } from "./mesh.ts";
import type { Running } from "./running.ts";

/** Objects written as YAML. */
export function yamlJourney(running: () => Running): void {
  const open: Running["open"] = (...asked) => running().open(...asked);

  test("Ctrl Enter in the editor applies and says so; a wrong field is named at its line; leaving asks", async () => {
    const { page, problems } = await open("/config/DestinationRule/default/details");
    const editor = page.getByTestId("yaml-editor");
    // What comes from the browser's own reads says that the page is alive.
    await page.getByTestId("history").locator("li").first().waitFor();
    await editor.waitFor();
    const yaml = await codeText(editor);
    await writeCode(editor, `${yaml.trimEnd()}\n  trafficPolicy:\n    conectionPool: {}\n`);
    await page.getByTestId("yaml-errors").getByText("conectionPool").first().waitFor();
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void dialog.dismiss();
    });
    await page.locator('nav [data-page="services"]').filter({ visible: true }).click();
    await eventually(() => questions.length === 1, patience, "it asks");
    expect(page.url()).toContain("/config/DestinationRule");
    await writeCode(
      editor,
      yaml.replace("spec:", "spec:\n  trafficPolicy:\n    loadBalancer:\n      simple: ROUND_ROBIN"),
    );
    await page.getByTestId("object-diff").getByText("ROUND_ROBIN").waitFor();
    await editor.press("Control+Enter");
    await page.getByTestId("editor-status").getByText("In force as revision").waitFor();
    await page.getByTestId("push-announcer").getByText("is in force on").waitFor({ state: "attached" });
    await page.getByTestId("undo").click();
    await eventually(async () => (await codeText(editor)) === yaml, patience, "the text is as before");
    await page.locator('nav [data-page="services"]').filter({ visible: true }).click();
    await page.waitForURL("**/services");
    expect(questions).toHaveLength(1);
    // A dry run that was refused is the browser's error too; it is what this test asked for.
    expect(problems.filter((problem) => !problem.includes("/api/apply"))).toEqual([]);
  });

  test("a new object's example creates something, and takes nothing away", async () => {
    const { page, problems } = await open("/config/new");
    const diff = page.getByTestId("object-diff");
    await diff.getByText("example-api").waitFor();
    expect(await diff.locator(".cm-insertedLine, .cm-changedLine").count()).toBeGreaterThan(10);
    expect(await diff.locator(".cm-deletedLine").count()).toBe(0);
    expect(await page.getByTestId("apply").isEnabled()).toBe(true);
    expect(problems).toEqual([]);
  });

  test("in Chinese what is wrong with a field, and what is hardly meant, is said in Chinese", async () => {
    const { page } = await open("/config/DestinationRule/default/details", { locale: "zh-CN" });
    const editor = page.getByTestId("yaml-editor");
    await page.getByTestId("history").locator("li").first().waitFor();
    await editor.waitFor();
    const yaml = await codeText(editor);
    await writeCode(editor, `${yaml.trimEnd()}\n  trafficPolicy:\n    connectionPool: {}\n`);
    await page.getByTestId("yaml-errors").getByText("至少需要 tcp, http 之一").waitFor();
    await writeCode(editor, yaml.replace(/host: .*/, "host: nobody"));
    await page.getByTestId("change-safety").getByText("没有 Service 或 ServiceEntry 拥有主机").waitFor();
  });
}
