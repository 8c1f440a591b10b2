import type { Page } from "playwright-core";
import { virtualService } from "../server/config/kinds/virtual-service.ts";
import type { ConfigObject } from "../server/config/object.ts";
import { patience } from "./browser.ts";
import { apiOf } from "./config.ts";
import { eventually, reviewVersions } from "./mesh.ts";
import type { Running } from "./running.ts";

export const editorPage = "/services/default/reviews?edit=VirtualService%2Fdefault%2Freviews";
export const policyPage = "/services/default/reviews?edit=DestinationRule%2Fdefault%2Freviews";

/** One rule: everything to v1. Written past any page, so that a test starts from a known object. */
export const plain = (spec: object = {}): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "default" },
  spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews", subset: "v1" } }], ...spec }] },
});

/** The editor of reviews, from an object that the test knows. */
export function editorOf(running: () => Running) {
  const write = (object: ConfigObject, user = "e2e") =>
    apiOf(running().mesh).transact([{ op: "put", object }], undefined, { user });
  const stored = async () => {
    const objects = await apiOf(running().mesh).objects(virtualService);
    return objects.find(({ metadata }) => metadata.name === "reviews");
  };
  const start = async (page = editorPage, options = {}) => {
    await write(plain());
    await answering("v1");
    const opened = await running().open(page, options);
    // The first page of a fresh profile loads all there is.
    await opened.page.getByTestId("yaml-editor").waitFor({ timeout: 3 * patience });
    return opened;
  };
  const answering = (version: string) =>
    eventually(
      async () => (await reviewVersions(running().mesh, 5))[version] === 5,
      patience,
      `all requests are answered by ${version}`,
    );
  return { write, stored, start, answering };
}

export interface Hand {
  press(x: number, y: number): Promise<void>;
  move(x: number, y: number): Promise<void>;
  release(): Promise<void>;
}

export const mouseOf = ({ mouse }: Page): Hand => ({
  press: async (x, y) => {
    await mouse.move(x, y);
    await mouse.down();
  },
  move: (x, y) => mouse.move(x, y, { steps: 8 }),
  release: () => mouse.up(),
});

/** Where the browser has been told that there is one. */
export async function fingerOf(page: Page): Promise<Hand> {
  const session = await page.context().newCDPSession(page);
  const touch = async (type: "touchStart" | "touchMove" | "touchEnd", ...touchPoints: { x: number; y: number }[]) =>
    void (await session.send("Input.dispatchTouchEvent", { type, touchPoints }));
  return {
    press: (x, y) => touch("touchStart", { x, y }),
    move: (x, y) => touch("touchMove", { x, y }),
    release: () => touch("touchEnd"),
  };
}

/** A dry run of what is half-written is refused, and that is a browser's error, too. */
export const unexpected = (problem: string): boolean => !problem.includes("/api/apply");

/** Applies what is drafted, and waits until every proxy has it. */
export async function apply(page: Page): Promise<void> {
  const before = await page.getByTestId("editor-status").textContent();
  await page.locator('[data-testid="apply"]:enabled').click();
  await page.waitForFunction((said) => {
    const text = document.querySelector('[data-testid="editor-status"]')?.textContent ?? "";
    return text.startsWith("In force as revision") && text !== said;
  }, before);
  await page.locator('[data-testid="push-summary"][data-complete="true"]').waitFor();
}

/** What was typed is lost only to whoever says so twice; on a busy machine the question may be over before the second press. */
export async function discard(page: Page): Promise<void> {
  const button = page.getByTestId("discard");
  await button.click();
  await page.getByTestId("safety").getByText("Lose what was typed").waitFor();
  await eventually(
    async () => {
      if ((await button.count()) > 0) await button.click({ timeout: 2000 }).catch(() => undefined);
      return (await button.count()) === 0;
    },
    patience,
    "what was typed is gone",
  );
  // Nobody has lost their place on the page.
  await focused(page, "editor-status");
}

export const focused = (page: Page, testId: string) =>
  page.waitForFunction((id) => (document.activeElement as HTMLElement | null)?.dataset.testid === id, testId);

export async function tabTo(page: Page, testId: string): Promise<void> {
  for (let presses = 0; presses < 120; presses++) {
    const at = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      return { id: element?.dataset.testid, isCode: element?.classList.contains("cm-content") };
    });
    if (at.id === testId) return;
    // Out of the editor, as its own help says.
    if (at.isCode && at.id === "yaml-editor") await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${testId}`);
}
