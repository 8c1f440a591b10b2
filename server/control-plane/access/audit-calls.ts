import { createTwoFilesPatch } from "diff";
import type { Deed } from "../../access/audit.ts";
import { formatKey } from "../../config/object.ts";
import type { ConfigChange } from "../../config/store.ts";
import { toYaml } from "../../config/to-yaml.ts";
import type { CallScope } from "./caller-scope.ts";

export interface AuditedCall {
  method: string;
  path: string;
  /** Of the route that the path led to. */
  pattern?: string | undefined;
  address: string;
  scope: CallScope;
  /** The author that the call itself names, where nobody is known. */
  author: string;
  dryRun: boolean;
  error?: { code: number; message: string } | undefined;
}

/** What a call of the config API has done, for the audit; undefined for what wrote nothing, and was not refused. */
export function deedOfCall({
  method,
  path,
  pattern = path,
  address,
  scope,
  author,
  dryRun,
  error,
}: AuditedCall): Deed | undefined {
  const { caller, commits } = scope;
  // Who is asked to wait: what came before is there, and whoever goes on must not fill the audit.
  if (method === "GET" || dryRun || error?.code === 429) return undefined;
  const isUnknown = error?.code === 401;
  const who = { actor: caller?.name ?? author, way: caller?.way ?? (isUnknown ? "" : "local"), address };
  if (error) {
    const result = error.code === 401 || error.code === 403 ? "refused" : "failed";
    return { ...who, action: `${method} config`, target: path, result, reason: `${error.code}: ${error.message}` };
  }
  if (commits.length === 0) {
    // What is no part of the config: tokens to join, revoked identities, proxies that are forgotten. Anything else asked, or changed nothing.
    const isOther = /^\/limpid\/v1\/(?:join-tokens|certificates|ca|proxies)(?:\/|$)/.test(pattern);
    return isOther ? { ...who, action: `${method} mesh`, target: path, result: "done" } : undefined;
  }
  const changes = commits.flatMap((commit) => commit.changes);
  return {
    ...who,
    action: "config.write",
    target: changes.map(({ key }) => formatKey(key)).join(", "),
    result: "done",
    reason: `revision ${commits.map(({ revision }) => revision).join(", ")}`,
    diff: [
      ...changes.slice(0, maxDiffs).map(diffOf),
      ...(changes.length > maxDiffs ? [`… and ${changes.length - maxDiffs} more objects\n`] : []),
    ].join(""),
  };
}

/** A restored mesh may have thousands. */
const maxDiffs = 50;

/** Past so many characters nobody reads it, and the audit would not keep it. */
const maxDocument = 100_000;

function diffOf({ key, before, after }: ConfigChange): string {
  const name = formatKey(key);
  const text = (object: ConfigChange["after"]) => (object === undefined ? "" : toYaml(object).slice(0, maxDocument));
  const [from, to] = [before ? name : "/dev/null", after ? name : "/dev/null"];
  return createTwoFilesPatch(from, to, text(before), text(after), undefined, undefined, { context: 2 });
}
