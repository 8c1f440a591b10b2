import { type Browser, chromium } from "playwright-core";

/** A real Chromium without a window, and without the calls home that would blur a page's own network. */
export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
  });
