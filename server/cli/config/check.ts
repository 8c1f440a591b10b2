import {
  type ChangeResult,
  deadShares,
  type EnvoyPreview,
  type ForetoldRefusal,
  type ShareChange,
} from "../../contract/index.ts";
import { count } from "../count.ts";
import { patchOf } from "./diff.ts";
import type { CliIo } from "./io.ts";
import { createTablePrinter } from "./print-table.ts";

/** The exit code of a check of what would send requests nowhere, or be refused by a proxy; 1 is an error, as everywhere. */
export const doubtfulCode = 2;

/** Whether anything of it is hardly meant. */
export const isDoubtful = (result: ChangeResult): boolean =>
  deadShares(result).length > 0 || (result.refusals?.length ?? 0) > 0;

/** For `--check`, which changes nothing. */
export const checkOption = [
  "--check",
  "show what it would do to objects, traffic and proxies, change nothing",
] as const;

export function sayCheck(result: ChangeResult, io: CliIo): void {
  io.out(checkText(result));
  if (isDoubtful(result)) io.fail(doubtfulCode);
}

/** What a change would do, for a person to read before it is made: objects, who gets how much of the traffic, and what reaches the proxies. */
export function checkText(result: ChangeResult): string {
  const { objects, shares, envoy } = result;
  if (objects.length === 0) return "nothing would change\n";
  const parts = [objects.map(patchOf).join("")];
  if (shares.length > 0) parts.push(sharesTable(shares));
  if (envoy) parts.push(proxiesText(envoy));
  const dead = deadShares(result);
  if (dead.length > 0)
    parts.push(`Nobody is there to take these:\n${dead.map((share) => `  ${deadText(share)}\n`).join("")}`);
  if (result.refusals?.length) parts.push(refusalsText(result.refusals));
  return parts.join("\n");
}

function deadText({ virtualService, list, rule, before, after, lost, ...share }: ShareChange): string {
  const where = `${virtualService} ${list}[${rule}]`;
  switch (lost) {
    case "endpoints":
      return `${after} % of ${where} to ${destination(share)}, which loses its last endpoint`;
    case "service":
      return `all calls to ${destination(share)}, which loses its last endpoint`;
    case "route":
      return `${before} % of ${where} to ${destination(share)}: no rule takes them any more (${list === "http" ? "404" : "closed"})`;
    case "gateway":
      return `all that enters by gateway ${share.hostname}, where ${virtualService} waits for it`;
    default:
      return list === "http"
        ? `${after} % of the requests to ${destination(share)}: 503`
        : `${after} % of the connections to ${destination(share)}: closed at once`;
  }
}

/** Who would refuse what, in the proxy's own words. */
function refusalsText(refusals: readonly ForetoldRefusal[]): string {
  const lines = refusals.map(({ proxies, type, resource, detail, object, place }) => {
    const where = object && `${object.kind} ${object.namespace ? `${object.namespace}/` : ""}${object.name}`;
    const at = where
      ? `  from ${where}${place ? ` spec.${place.path} (line ${place.line} as it is stored)` : ""}\n`
      : "";
    return `  ${proxies.join(", ")}: ${type} ${resource}\n  ${at}    ${detail}\n`;
  });
  return `These proxies would refuse it, and go on as before:\n${lines.join("")}`;
}

function sharesTable(shares: readonly ShareChange[]): string {
  return createTablePrinter({ wide: true, namespaces: false }).print({
    columnDefinitions: ["Rule", "Requests", "Destination", "Before", "After", "Endpoints"].map((name) => ({
      name,
      priority: 0,
    })),
    rows: shares.map(({ virtualService, list, rule, matches, before, after, endpoints, ...share }) => ({
      cells: [
        `${virtualService} ${list}[${rule}]`,
        [matches.join(" or ") || "all", share.clients && `of clients in ${share.clients}`].filter(Boolean).join(", "),
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
