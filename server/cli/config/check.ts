import type { ChangeResult, EnvoyPreview, ShareChange } from "../../contract/index.ts";
import { patchOf } from "./diff.ts";
import { createTablePrinter } from "./print-table.ts";
import { count } from "./read-manifests.ts";

/** The exit code of a check of what would send requests nowhere; 1 is an error, as everywhere. */
export const deadShareCode = 2;

/** Shares that grow and have nobody to take them: what goes there is answered 503. */
export const deadShares = ({ shares }: Pick<ChangeResult, "shares">): ShareChange[] =>
  shares.filter(({ before, after, endpoints }) => after > before && endpoints === 0);

/** What a change would do, for a person to read before it is made: objects, who gets how much of the traffic, and what reaches the proxies. */
export function checkText(result: ChangeResult): string {
  const { objects, shares, envoy } = result;
  if (objects.length === 0) return "nothing would change\n";
  const parts = [objects.map(patchOf).join("")];
  if (shares.length > 0) parts.push(sharesTable(shares));
  if (envoy) parts.push(proxiesText(envoy));
  const dead = deadShares(result);
  if (dead.length > 0) {
    const lines = dead.map(({ after, ...share }) => `  ${after} % of the requests to ${destination(share)}\n`);
    parts.push(`Nobody is there to answer, so that these would be answered 503:\n${lines.join("")}`);
  }
  return parts.join("\n");
}

function sharesTable(shares: readonly ShareChange[]): string {
  return createTablePrinter({ wide: true, namespaces: false }).print({
    columnDefinitions: ["Rule", "Requests", "Destination", "Before", "After", "Endpoints"].map((name) => ({
      name,
      priority: 0,
    })),
    rows: shares.map(({ virtualService, rule, matches, before, after, endpoints, ...share }) => ({
      cells: [
        `${virtualService} http[${rule}]`,
        matches.join(" or ") || "all",
        destination(share),
        `${before} %`,
        `${after} %`,
        endpoints,
      ],
    })),
  });
}

const destination = ({ hostname, subset }: Pick<ShareChange, "hostname" | "subset">): string =>
  subset === null ? hostname : `${hostname} subset ${subset}`;

function proxiesText({ resources, more, proxies, unseen }: EnvoyPreview): string {
  const lines = resources.map(({ type, name, before, after, proxies: which }) => {
    const verb = before === "" ? "new" : after === "" ? "gone" : "changed";
    return `  ${type} ${name} ${verb}: ${count(which.length, "proxy").replace(/ys$/, "ies")}\n`;
  });
  if (more > 0) lines.push(`  and ${count(more, "more resource")}\n`);
  if (unseen > 0) lines.push(`  ${unseen} proxies were not looked at\n`);
  const whom = proxies.length === 0 ? "No connected proxy would get anything new." : `Proxies: ${proxies.join(", ")}`;
  return `${whom}\n${lines.join("")}`;
}
