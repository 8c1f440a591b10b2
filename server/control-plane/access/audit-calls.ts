import { createTwoFilesPatch } from "diff";
import type { Deed } from "../../access/audit.ts";
import type { ResourceKey } from "../../config/object.ts";
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
  /** A page of another site had a browser send it: what it asks for is nothing that somebody here asked. */
  isForeign: boolean;
  error?: { code: number; message: string } | undefined;
}

/** What a call of the config API has done, and how it ended where it did not end well: who wrote something before they were refused did both. Empty for what only asked. */
export function deedsOfCall(call: AuditedCall): Deed[] {
  const { method, path, pattern = path, address, scope, author, dryRun, isForeign, error } = call;
  const { caller, commits } = scope;
  // Who is asked to wait: what came before is there, and whoever goes on must not fill the audit.
  if ((method === "GET" && !isForeign) || dryRun || error?.code === 429) return [];
  const isUnknown = error?.code === 401 || isForeign;
  const who = { actor: caller?.name ?? author, way: caller?.way ?? (isUnknown ? "" : "local"), address };
  const deeds: Deed[] = [];
  if (commits.length > 0) deeds.push({ ...who, ...written(commits) });
  if (error) {
    const result = error.code === 401 || error.code === 403 ? "refused" : "failed";
    const reason = `${error.code}: ${error.message}`;
    deeds.push({ ...who, action: `${method} config`, target: path, result, reason });
  } else if (commits.length === 0 && isOther(pattern)) {
    deeds.push({ ...who, action: `${method} mesh`, target: path, result: "done" });
  }
  return deeds;
}

/** What is no part of the config: tokens to join, revoked identities, proxies that are forgotten. Anything else asked, or changed nothing. */
const isOther = (pattern: string): boolean =>
  /^\/limpid\/v1\/(?:join-tokens|certificates|ca|proxies)(?:\/|$)/.test(pattern);

function written(commits: CallScope["commits"]): Pick<Deed, "action" | "target" | "result" | "reason" | "diff"> {
  const changes = commits.flatMap((commit) => commit.changes);
  return {
    action: "config.write",
    target: changes.map(({ key }) => nameOf(key)).join(", "),
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

const nameOf = ({ kind, namespace, name }: ResourceKey): string => `${kind} ${namespace && `${namespace}/`}${name}`;

function diffOf({ key, before, after }: ConfigChange): string {
  const name = nameOf(key);
  const text = (object: ConfigChange["after"]) => (object === undefined ? "" : toYaml(object).slice(0, maxDocument));
  const [from, to] = [before ? name : "/dev/null", after ? name : "/dev/null"];
  return createTwoFilesPatch(from, to, text(before), text(after), undefined, undefined, { context: 2 });
}
