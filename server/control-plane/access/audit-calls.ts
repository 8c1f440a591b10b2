import { createTwoFilesPatch } from "diff";
import type { Deed } from "../../access/audit.ts";
import type { ResourceKey } from "../../config/object.ts";
import type { ConfigChange } from "../../config/store.ts";
import { toYaml } from "../../config/to-yaml.ts";
import type { AuditAction } from "../../contract/index.ts";
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
  const named = besideConfig.find(([route]) => route.test(`${method} ${pattern}`))?.[1];
  if (commits.length > 0) deeds.push({ ...who, ...written(commits) });
  if (error) {
    const result = error.code === 401 || error.code === 403 ? "refused" : "failed";
    const reason = `${error.code}: ${error.message}`;
    deeds.push({ ...who, action: named ?? `${method} config`, target: path, result, reason });
  } else if (commits.length === 0 && named) {
    deeds.push({ ...who, action: named, target: path, result: "done" });
  }
  return deeds;
}

/** What is no part of the config, by its route, or by the path of whoever was refused before it was known. Anything else asked, or changed nothing. */
const besideConfig: readonly (readonly [RegExp, AuditAction])[] = [
  [/^POST \/limpid\/v1\/join-tokens$/, "join-token.create"],
  [/^DELETE \/limpid\/v1\/join-tokens\/[^/]+$/, "join-token.delete"],
  [/^POST \/limpid\/v1\/certificates\/revoke$/, "identity.revoke"],
  [/^POST \/limpid\/v1\/certificates\/restore$/, "identity.restore"],
  [/^DELETE \/limpid\/v1\/proxies\/[^/]+$/, "proxy.forget"],
];

function written(commits: CallScope["commits"]): Pick<Deed, "target" | "result" | "reason" | "diff"> & {
  action: AuditAction;
} {
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
