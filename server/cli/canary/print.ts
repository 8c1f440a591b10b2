import type { CanaryFigures, CanaryView } from "../../contract/index.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { columns } from "../columns.ts";

/** Step, time left, and both versions side by side. `now`: the server's, Unix milliseconds. */
export function inWords(canary: CanaryView, now: number): string {
  const { namespace, name, service, status, live, steps } = canary;
  const head = `${namespace}/${name}: ${service.name} ${canary.from} → ${canary.to}, ${status?.phase ?? "Pending"}`;
  if (status === null) return `${head}\n`;
  const lines = [status.message ? `${head}: ${status.message}` : head];
  if (status.phase === "Progressing") {
    const ends = Date.parse(status.since) + (steps[status.step - 1]?.holdMs ?? 0);
    const left = Math.max(0, Math.ceil((ends - now) / 1000)) * 1000;
    lines.push(
      live?.waiting === "signals"
        ? `waits: nobody tells how both versions do (${live.why})`
        : live?.waiting === "requests"
          ? `waits for ${canary.thresholds.minRequests} requests to both versions`
          : `next step in ${formatGoDuration(left)}`,
    );
  }
  const observed = live?.observed ?? status.observed;
  if (observed) {
    const row = (version: string, subset: string, figures: CanaryFigures) => [
      version,
      `${status.weights[subset] ?? 0} %`,
      String(figures.requests),
      figures.successRate === null ? "–" : `${figures.successRate} %`,
      figures.latencyMsP95 === null ? "–" : `${Math.round(figures.latencyMsP95 * 10) / 10} ms`,
    ];
    lines.push(
      columns([
        ["VERSION", "WEIGHT", "REQUESTS", "SUCCESS", "P95"],
        row(status.from.version, status.from.subset, observed.from),
        row(status.to.version, status.to.subset, observed.to),
      ]).trimEnd(),
    );
  }
  return `${lines.join("\n")}\n`;
}
