import type {
  AccessStore,
  AuditEntry,
  AuditQuery,
  NewAuditEntry,
  StoredSession,
  StoredToken,
  StoredUser,
} from "../../access/store.ts";

type Value = string | number | null;
export type Row = Record<string, unknown>;

/** What both databases can do: statements with `?` for values, and turns of one writer at a time. */
export interface AccessSql {
  query(sql: string, ...values: Value[]): Promise<Row[]>;
  /** Whatever `work` reads stays so until it has written. */
  exclusively<T>(work: (query: AccessSql["query"]) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const userColumns = `"name", "displayName", "grants", "password", "issuer", "subject", "disabled", "createdAt", "lastSignInAt"`;
const auditColumns = `"at", "actor", "way", "address", "action", "target", "result", "reason", "diff"`;

/** The statements are SQL that SQLite and PostgreSQL read alike. */
export function sqlAccessStore(db: AccessSql): AccessStore {
  const users = (rows: Row[]) => rows.map(toUser);
  const allUsers = `SELECT ${userColumns} FROM "access_user" ORDER BY "createdAt", "name"`;
  return {
    users: async () => users(await db.query(allUsers)),
    user: async (name) => users(await db.query(`SELECT ${userColumns} FROM "access_user" WHERE "name" = ?`, name))[0],
    async userOfProvider({ issuer, subject }) {
      const sql = `SELECT ${userColumns} FROM "access_user" WHERE "issuer" = ? AND "subject" = ?`;
      return users(await db.query(sql, issuer, subject))[0];
    },
    async addUser(user) {
      const sql = `INSERT INTO "access_user" (${userColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING "name"`;
      return (await db.query(sql, ...userValues(user))).length > 0;
    },
    changeUser: (name, change) =>
      db.exclusively(async (query) => {
        const all = users(await query(allUsers));
        const user = all.find((one) => one.name === name);
        if (user === undefined) return false;
        const next = change(user, all);
        if (next === undefined) await query(`DELETE FROM "access_user" WHERE "name" = ?`, name);
        else {
          const [, ...values] = userValues(next);
          const sets = `"displayName" = ?, "grants" = ?, "password" = ?, "issuer" = ?, "subject" = ?, "disabled" = ?, "createdAt" = ?, "lastSignInAt" = ?`;
          await query(`UPDATE "access_user" SET ${sets} WHERE "name" = ?`, ...values, name);
        }
        return true;
      }),
    ...sessionsIn(db),
    ...tokensIn(db),
    async addLink({ hash, userName, endsAt }) {
      await db.query(
        `INSERT INTO "access_link" ("hash", "userName", "endsAt") VALUES (?, ?, ?)`,
        hash,
        userName,
        endsAt,
      );
    },
    async takeLink(hash) {
      const [row] = await db.query(`DELETE FROM "access_link" WHERE "hash" = ? RETURNING "userName", "endsAt"`, hash);
      return row && { hash, userName: textOrNull(row.userName), endsAt: Number(row.endsAt) };
    },
    async appendAudit(entry) {
      await db.query(
        `INSERT INTO "audit_entry" (${auditColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        ...auditValues(entry),
      );
    },
    audit: (query) => auditOf(db, query),
    async clean({ now, idleSince, auditSince, maxAudit }) {
      await db.query(`DELETE FROM "access_session" WHERE "endsAt" <= ? OR "seenAt" <= ?`, now, idleSince);
      await db.query(`DELETE FROM "access_token" WHERE "endsAt" <= ?`, now);
      await db.query(`DELETE FROM "access_link" WHERE "endsAt" <= ?`, now);
      await db.query(`DELETE FROM "audit_entry" WHERE "at" < ?`, auditSince);
      const past = `(SELECT MAX("id") FROM "audit_entry") - ?`;
      await db.query(`DELETE FROM "audit_entry" WHERE "id" <= ${past}`, maxAudit);
    },
    close: () => db.close(),
  };
}

type SessionsPart = Pick<
  AccessStore,
  "addSession" | "session" | "touchSession" | "endSession" | "endSessions" | "sessionCounts"
>;

const sessionsIn = (db: AccessSql): SessionsPart => ({
  async addSession({ hash, userName, way, createdAt, seenAt, endsAt }) {
    const columns = `"hash", "userName", "way", "createdAt", "seenAt", "endsAt"`;
    const sql = `INSERT INTO "access_session" (${columns}) VALUES (?, ?, ?, ?, ?, ?)`;
    await db.query(sql, hash, userName, way, createdAt, seenAt, endsAt);
  },
  async session(hash) {
    const columns = userColumns.replaceAll(/"\w+"/g, (name) => `u.${name}`);
    const sql = `SELECT ${columns}, s."way", s."createdAt" AS "begunAt", s."seenAt", s."endsAt"
      FROM "access_session" s JOIN "access_user" u ON u."name" = s."userName" WHERE s."hash" = ?`;
    const [row] = await db.query(sql, hash);
    if (row === undefined) return undefined;
    const session = {
      hash,
      userName: String(row.name),
      way: String(row.way) as StoredSession["way"],
      createdAt: Number(row.begunAt),
      seenAt: Number(row.seenAt),
      endsAt: Number(row.endsAt),
    };
    return { session, user: toUser(row) };
  },
  async touchSession(hash, seenAt) {
    await db.query(`UPDATE "access_session" SET "seenAt" = ? WHERE "hash" = ?`, seenAt, hash);
  },
  async endSession(hash) {
    await db.query(`DELETE FROM "access_session" WHERE "hash" = ?`, hash);
  },
  async endSessions(userName, except = "") {
    return (
      await db.query(
        `DELETE FROM "access_session" WHERE "userName" = ? AND "hash" <> ? RETURNING "hash"`,
        userName,
        except,
      )
    ).length;
  },
  async sessionCounts(now, idleSince) {
    const sql = `SELECT "userName", COUNT(*) AS "count" FROM "access_session" WHERE "endsAt" > ? AND "seenAt" > ? GROUP BY "userName"`;
    const rows = await db.query(sql, now, idleSince);
    return new Map(rows.map(({ userName, count }) => [String(userName), Number(count)]));
  },
});

type TokensPart = Pick<AccessStore, "addToken" | "token" | "tokens" | "touchToken" | "deleteToken" | "deleteTokensOf">;

const tokenColumns = `"id", "hash", "name", "owner", "grants", "createdAt", "endsAt", "usedAt"`;

const tokensIn = (db: AccessSql): TokensPart => ({
  async addToken({ id, hash, name, owner, grants, createdAt, endsAt, usedAt }) {
    const sql = `INSERT INTO "access_token" (${tokenColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
    await db.query(sql, id, hash, name, owner, JSON.stringify(grants), createdAt, endsAt, usedAt);
  },
  async token(id) {
    const [row] = await db.query(`SELECT ${tokenColumns} FROM "access_token" WHERE "id" = ?`, id);
    return row && toToken(row);
  },
  tokens: async () =>
    (await db.query(`SELECT ${tokenColumns} FROM "access_token" ORDER BY "createdAt" DESC, "id"`)).map(toToken),
  async touchToken(id, usedAt) {
    await db.query(`UPDATE "access_token" SET "usedAt" = ? WHERE "id" = ?`, usedAt, id);
  },
  async deleteToken(id) {
    return (await db.query(`DELETE FROM "access_token" WHERE "id" = ? RETURNING "id"`, id)).length > 0;
  },
  async deleteTokensOf(owner) {
    await db.query(`DELETE FROM "access_token" WHERE "owner" = ?`, owner);
  },
});

async function auditOf(db: AccessSql, { actor, action, result, before, limit }: AuditQuery): Promise<AuditEntry[]> {
  const given: [string, Value | undefined][] = [
    [`"actor" = ?`, actor],
    [`"action" = ?`, action],
    [`"result" = ?`, result],
    [`"id" < ?`, before],
  ];
  const used = given.filter((entry): entry is [string, Value] => entry[1] !== undefined);
  const where = used.length > 0 ? `WHERE ${used.map(([sql]) => sql).join(" AND ")}` : "";
  const sql = `SELECT "id", ${auditColumns} FROM "audit_entry" ${where} ORDER BY "id" DESC LIMIT ?`;
  return (await db.query(sql, ...used.map(([, value]) => value), limit)).map(toEntry);
}

const textOrNull = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));
const numberOrNull = (value: unknown): number | null => (value === null || value === undefined ? null : Number(value));
const grantsOf = (value: unknown): StoredUser["grants"] => JSON.parse(String(value));

const toUser = (row: Row): StoredUser => ({
  name: String(row.name),
  displayName: String(row.displayName),
  grants: grantsOf(row.grants),
  password: textOrNull(row.password),
  provider: row.issuer === null ? null : { issuer: String(row.issuer), subject: String(row.subject) },
  disabled: Number(row.disabled) === 1,
  createdAt: Number(row.createdAt),
  lastSignInAt: numberOrNull(row.lastSignInAt),
});

const userValues = (user: StoredUser): [string, ...Value[]] => [
  user.name,
  user.displayName,
  JSON.stringify(user.grants),
  user.password,
  user.provider?.issuer ?? null,
  user.provider?.subject ?? null,
  user.disabled ? 1 : 0,
  user.createdAt,
  user.lastSignInAt,
];

const toToken = (row: Row): StoredToken => ({
  id: String(row.id),
  hash: String(row.hash),
  name: String(row.name),
  owner: String(row.owner),
  grants: grantsOf(row.grants),
  createdAt: Number(row.createdAt),
  endsAt: Number(row.endsAt),
  usedAt: numberOrNull(row.usedAt),
});

const auditValues = (entry: NewAuditEntry): Value[] => [
  entry.at,
  entry.actor,
  entry.way,
  entry.address,
  entry.action,
  entry.target,
  entry.result,
  entry.reason,
  entry.diff,
];

const toEntry = (row: Row): AuditEntry => ({
  id: Number(row.id),
  at: Number(row.at),
  actor: String(row.actor),
  way: String(row.way),
  address: String(row.address),
  action: String(row.action),
  target: String(row.target),
  result: String(row.result) as AuditEntry["result"],
  reason: String(row.reason),
  diff: String(row.diff),
});
