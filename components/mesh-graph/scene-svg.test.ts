import { expect, it } from "vitest";
import { layoutGraph } from "./layout.ts";
import type { Palette } from "./palette.ts";
import { buildScene, layoutNodesOf } from "./scene.ts";
import { sceneSvg } from "./scene-svg.ts";
import { bookinfo, testNode } from "./testing/graph.ts";

const palette: Palette = {
  bg: "#000",
  panel: "#111",
  line: "#222",
  ink: "#fff",
  ink2: "#ddd",
  ink3: "#bbb",
  accent: "#0ff",
  accentInk: "#000",
  health: { healthy: "#0a0", degraded: "#aa0", failing: "#a00", idle: "#555" },
  version: () => "#00f",
  font: '"Geist", sans-serif',
  mono: "monospace",
};
const text = { name: ({ app }: { app: string }) => app, sub: () => "", labels: () => ["13 rps < 20"] };

it("draws every node, call and box, with their words", () => {
  const nodes = [...bookinfo.nodes, testNode("default/<odd>/v1")];
  const points = layoutGraph(layoutNodesOf(nodes), bookinfo.edges, "right");
  const svg = sceneSvg(buildScene({ nodes, edges: bookinfo.edges }, points, text), palette, "Limpid & 1 min");
  for (const { app } of bookinfo.nodes) expect(svg).toContain(`>${app}<`);
  // As on the page: a ring's failures are an arc, and badges and padlocks are there.
  expect(svg.match(/stroke="#0a0" stroke-width="3"/g)?.length).toBeGreaterThanOrEqual(7);
  expect(svg).toMatch(/stroke="#a(a0|00)" stroke-width="4.5"/);
  expect(svg).toContain('transform="translate(');
  expect(svg).toContain("&lt;odd&gt;");
  expect(svg).toContain("13 rps &lt; 20");
  expect(svg).toContain("Limpid &amp; 1 min");
  expect(svg).not.toMatch(/NaN|undefined/);
});
