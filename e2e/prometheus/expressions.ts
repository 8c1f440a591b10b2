import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Istio's dashboards that are about a mesh of proxies; those for ztunnel and WebAssembly extensions are about what is not here. */
export const dashboards = {
  Mesh: "istio-mesh-dashboard.gen.json",
  Service: "istio-service-dashboard.json",
  Workload: "istio-workload-dashboard.json",
  Performance: "istio-performance-dashboard.json",
  "Control plane": "pilot-dashboard.gen.json",
} as const;
export type Dashboard = keyof typeof dashboards;

export interface Expression {
  dashboard: string;
  panel: string;
  text: string;
}

/** Every expression of the dashboards in a folder (istio's `manifests/addons/dashboards`), panel by panel. */
export const readExpressions = (folder: string): Expression[] =>
  (Object.keys(dashboards) as Dashboard[]).flatMap((dashboard) =>
    inPanels(JSON.parse(readFileSync(join(folder, dashboards[dashboard]), "utf8")), "").map((each) => ({
      dashboard,
      ...each,
    })),
  );

/** The same of our own, in docs/grafana. */
export const readOwnExpressions = (folder: string): Expression[] =>
  readdirSync(folder).flatMap((file) =>
    inPanels(JSON.parse(readFileSync(join(folder, file), "utf8")), "").map((each) => ({ dashboard: file, ...each })),
  );

/** Panels may stand in rows, and targets anywhere below a panel. */
export function inPanels(value: unknown, panel: string): { panel: string; text: string }[] {
  if (Array.isArray(value)) return value.flatMap((each) => inPanels(each, panel));
  if (typeof value !== "object" || value === null) return [];
  const of = value as Record<string, unknown>;
  if (typeof of.expr === "string") return [{ panel, text: of.expr }];
  const title = typeof of.title === "string" && of.title !== "" ? of.title : panel;
  return Object.values(of).flatMap((each) => inPanels(each, title));
}

/** What was chosen of a dashboard's variables; the rest is "All". */
export interface Chosen {
  service?: string;
  namespace?: string;
  workload?: string;
}

/** As Grafana puts variables into an expression: those with several values as a regular expression. */
export function bound(text: string, chosen: Chosen): string {
  const values: Record<string, string> = {
    qrep: "source|destination",
    reporter: "source|destination",
    __rate_interval: "1m",
    __interval: "1m",
    ...chosen,
  };
  return text.replace(/\$\{?(\w+)(?::\w+)?\}?/g, (_, name: string) => values[name] ?? ".*");
}
