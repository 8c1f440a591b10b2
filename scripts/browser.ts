import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installPackage } from "./debian.ts";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const macPaths = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** A Chromium for the end-to-end tests: LIMPID_BROWSER, else one on the PATH. */
export function findBrowser(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.LIMPID_BROWSER) return env.LIMPID_BROWSER;
  const folders = (env.PATH ?? "").split(delimiter);
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...macPaths].find((path) =>
    existsSync(path),
  );
}

/** Installs Debian's Chromium where that can be done; otherwise undefined. */
export function installBrowser(): string | undefined {
  installPackage("chromium");
  return findBrowser();
}
