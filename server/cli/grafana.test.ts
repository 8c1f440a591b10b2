import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inPanels } from "../../e2e/prometheus/expressions.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { createControlPlane } from "../control-plane/control-plane.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { edge, rollup } from "../store/telemetry/testing/records.ts";
import { createCollector } from "../telemetry/collector.ts";
import { IstioMetrics } from "../telemetry/istio-metrics.ts";
import { packageRoot } from "./options.ts";

const folder = join(packageRoot, "docs/grafana");

/** Labels by metric, as our parts show them. */
async function shown(): Promise<Map<string, Set<string>>> {
  const istio = new IstioMetrics();
  istio.add([rollup(edge("a", "b/v1"), 0), rollup({ ...edge("a", "db"), protocol: "tcp" }, 0)]);
  const collector = createCollector({
    store: new MemoryTelemetryStore(),
    grpcPort: 0,
    httpPort: 0,
    logger: silentLogger,
  });
  await collector.start();
  const own = await (await fetch(`http://${collector.addresses().http}/metrics`)).text();
  await collector.stop();
  const controlPlane = createControlPlane({
    store: new MemoryConfigStore(),
    xdsPort: 0,
    logger: silentLogger,
    clock: systemClock,
  });
  const metrics = new Map<string, Set<string>>([["up", new Set()]]);
  for (const line of [istio.render(), own, controlPlane.metrics.text()].join("\n").split("\n")) {
    const [, declared] = /^# TYPE (\S+)/.exec(line) ?? [];
    const [, name = declared, labels = ""] = /^([a-z0-9_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const known = metrics.get(name) ?? new Set<string>();
    for (const [, label] of labels.matchAll(/([a-z_]+)="/g)) if (label) known.add(label);
    metrics.set(name, known);
    if (declared) metrics.set(`${declared}_bucket`, metrics.get(`${declared}_bucket`) ?? new Set());
  }
  return metrics;
}

const functions = new Set(["sum", "rate", "by", "histogram_quantile", "or", "vector", "le"]);

/** The metrics of an expression, each with the labels that it is chosen by. */
function asked(expression: string): { name: string; labels: string[] }[] {
  const bare = expression.replaceAll(/by \([^)]*\)/g, "");
  return [...bare.matchAll(/\b([a-z][a-z0-9_]*)(?:\{([^}]*)\})?(?:\[|\)|$| )/g)].flatMap(
    ([, name = "", selector = ""]) =>
      functions.has(name) || name === ""
        ? []
        : { name, labels: [...selector.matchAll(/([a-z_]+)(?:=|!=|=~|!~)"/g)].map(([, label = ""]) => label) },
  );
}

describe("our dashboards for Grafana", () => {
  it.each(readdirSync(folder))("%s asks for what is shown, by labels that it has", async (file) => {
    const metrics = await shown();
    const expressions = inPanels(JSON.parse(readFileSync(join(folder, file), "utf8")), "");
    expect(expressions.length).toBeGreaterThan(10);
    for (const { panel, text } of expressions) {
      const wanted = asked(text);
      expect(wanted.length, `${panel}: ${text}`).toBeGreaterThan(0);
      for (const { name, labels } of wanted) {
        expect([...metrics.keys()], `${panel}: ${text}`).toContain(name);
        const known = metrics.get(name) ?? new Set();
        // Scraping adds job and instance; what nothing was counted for yet has no labels to look at.
        for (const label of labels) {
          if (known.size > 0 && label !== "job") expect([...known], `${panel}: ${text}`).toContain(label);
        }
      }
    }
  });
});
