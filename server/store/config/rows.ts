import type { ConfigObject } from "../../config/object.ts";
import { deepFreeze } from "../../config/plan-commit.ts";
import type { Commit, ConfigChange } from "../../config/store.ts";
import type { Prisma } from "../../gen/prisma-config/client.ts";

export const toObjectText = (object: ConfigObject): string => JSON.stringify(object);
export const fromObjectText = (text: string): ConfigObject => deepFreeze(JSON.parse(text) as ConfigObject);

export function toChangeRow(change: ConfigChange, revision: number, ordinal: number): Prisma.ChangeCreateManyInput {
  const { kind, namespace, name } = change.key;
  const before = change.before === undefined ? null : toObjectText(change.before);
  const after = change.after === undefined ? null : toObjectText(change.after);
  return { revision, ordinal, kind, namespace, name, before, after };
}

export function fromCommitRow(row: Prisma.CommitGetPayload<{ include: { changes: true } }>): Commit {
  const commit: Commit = {
    revision: row.revision,
    at: Number(row.at),
    author: row.author,
    changes: row.changes.map(fromChangeRow),
  };
  if (row.reason !== null) commit.reason = row.reason;
  return commit;
}

function fromChangeRow(row: Prisma.ChangeGetPayload<object>): ConfigChange {
  const key = { kind: row.kind, namespace: row.namespace, name: row.name };
  const change: ConfigChange = {
    type: row.before === null ? "ADDED" : row.after === null ? "DELETED" : "MODIFIED",
    key,
  };
  if (row.before !== null) change.before = fromObjectText(row.before);
  if (row.after !== null) change.after = fromObjectText(row.after);
  return change;
}
