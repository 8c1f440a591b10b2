import { versionColor } from "../ui/version-color.ts";

/** The tokens as a canvas needs them: resolved colours and font stacks. */
export interface Palette {
  bg: string;
  panel: string;
  line: string;
  ink: string;
  ink2: string;
  ink3: string;
  accent: string;
  accentInk: string;
  health: Record<"healthy" | "degraded" | "failing" | "idle", string>;
  version: (version: string | null) => string;
  font: string;
  mono: string;
}

export function readPalette(element: HTMLElement): Palette {
  const css = getComputedStyle(element);
  const token = (name: string) => css.getPropertyValue(name).trim();
  return {
    bg: token("--bg"),
    panel: token("--panel"),
    line: token("--line"),
    ink: token("--ink"),
    ink2: token("--ink-2"),
    ink3: token("--ink-3"),
    accent: token("--accent"),
    accentInk: token("--accent-ink"),
    health: { healthy: token("--ok"), degraded: token("--warn"), failing: token("--bad"), idle: token("--idle") },
    version: (version) => token(versionColor(version).slice(4, -1)),
    font: token("--font"),
    mono: token("--mono"),
  };
}
