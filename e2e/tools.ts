import { findBrowser } from "../scripts/browser.ts";
import { findEnvoy } from "../server/fleet/envoy.ts";
import { root } from "./mesh.ts";

const ci = process.env.CI === "true" || process.env.CI === "1";

/** What a test needs and a machine may lack. In CI a missing tool fails the file; elsewhere its tests are skipped, with the reason in their name. */
export interface Tool {
  /** Empty when missing. */
  path: string;
  missing: boolean;
  /** Appended to a suite's name. */
  reason: string;
}

export const browser = tool(findBrowser(), "no Chromium on the PATH and no LIMPID_BROWSER");
export const envoy = tool(findEnvoy(`${root}/.build`), "no Envoy installed and no LIMPID_ENVOY");

export function tool(path: string | undefined, problem: string): Tool {
  if (path) return { path, missing: false, reason: "" };
  if (ci) throw new Error(`${problem}; CI skips nothing`);
  return { path: "", missing: true, reason: ` (skipped: ${problem})` };
}
