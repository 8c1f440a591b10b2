import { eventually, startMesh } from "../../e2e/mesh.ts";
import { quantile } from "./process-usage.ts";

/** Command → welcome line → first graph with all six services, with the build already there. */
export async function benchStartUp(): Promise<void> {
  const up: number[] = [];
  const graph: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    const mesh = await startMesh();
    up.push(performance.now() - started);
    await eventually(
      async () => {
        const answer = await mesh.ask("/api/graph?window=60");
        const { edges, nodes } = (await answer.json()) as { edges: unknown[]; nodes: { app: string; idle: boolean }[] };
        const apps = new Set(nodes.filter((node) => !node.idle).map((node) => node.app));
        return edges.length > 0 && ["productpage", "details", "reviews", "ratings"].every((app) => apps.has(app));
      },
      30_000,
      "the first graph",
    );
    graph.push(performance.now() - started);
    await mesh.stop();
  }
  const row = (name: string, values: number[]) =>
    process.stdout.write(
      `${name}: median ${(quantile(values, 0.5) / 1000).toFixed(1)} s, slowest ${(Math.max(...values) / 1000).toFixed(1)} s of ${values.length}\n`,
    );
  row("npm start → every part up", up);
  row("npm start → first graph with traffic of every service", graph);
}
