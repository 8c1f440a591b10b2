import { type ConfigObject, formatKey, type ResourceKey } from "../../config/object.ts";
import type { Commit } from "../../config/store.ts";
import { fromObjectText, toChangeRow, toObjectText } from "./rows.ts";
import type { WriteTransaction } from "./write-transaction.ts";

/** Rows of one statement: databases bound its parameters, of which each row has seven. */
const changesAtOnce = 500;

const isKey = `"namespace" = ? AND "name" = ? AND "kind" = ?`;
const valuesOf = ({ namespace, name, kind }: ResourceKey): [string, string, string] => [namespace, name, kind];

/** What is stored under these keys. */
export async function readAll(transaction: WriteTransaction, keys: ResourceKey[]): Promise<Map<string, ConfigObject>> {
  const found = new Map<string, ConfigObject>();
  for (const key of keys) {
    const [row] = await transaction.query(`SELECT "object" FROM "resource" WHERE ${isKey}`, ...valuesOf(key));
    if (row) found.set(formatKey(key), fromObjectText(String(row[0])));
  }
  return found;
}

/** Takes the next revision, and SQLite's write lock with it. */
export async function nextRevision(transaction: WriteTransaction): Promise<number> {
  const sql = `UPDATE "state" SET "revision" = "revision" + 1 WHERE "id" = 1 RETURNING "revision"`;
  const [row] = await transaction.query(sql);
  if (row === undefined) throw new Error("the config database has no revision: its table `state` is empty");
  return Number(row[0]);
}

/** The commit in the history, and its objects as they are by it. */
export async function writeChanges(transaction: WriteTransaction, commit: Commit): Promise<void> {
  const { revision, at, author, reason, changes } = commit;
  await transaction.execute(
    `INSERT INTO "commit" ("revision", "at", "author", "reason") VALUES (?, ?, ?, ?)`,
    ...[revision, BigInt(at), author, reason ?? null],
  );
  for (let from = 0; from < changes.length; from += changesAtOnce) {
    const rows = changes
      .slice(from, from + changesAtOnce)
      .map((change, index) => toChangeRow(change, revision, from + index));
    await transaction.execute(
      `INSERT INTO "change" ("revision", "ordinal", "namespace", "name", "kind", "before", "after")
       VALUES ${rows.map(() => "(?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
      ...rows.flatMap((row) => [
        ...[row.revision, row.ordinal, row.namespace, row.name, row.kind],
        ...[row.before ?? null, row.after ?? null],
      ]),
    );
  }
  for (const { key, after } of changes) {
    if (after === undefined) {
      await transaction.execute(`DELETE FROM "resource" WHERE ${isKey}`, ...valuesOf(key));
    } else {
      await transaction.execute(
        `INSERT INTO "resource" ("namespace", "name", "kind", "object") VALUES (?, ?, ?, ?)
         ON CONFLICT ("namespace", "name", "kind") DO UPDATE SET "object" = "excluded"."object"`,
        ...[...valuesOf(key), toObjectText(after)],
      );
    }
  }
}
