import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LatencySketch } from "../lib/latency-sketch.ts";
import { silentLogger } from "../lib/logger.ts";
import type { TelemetryReader } from "../query/reader.ts";
import { MigrationError } from "./errors.ts";
import { applyMigrations } from "./migrate.ts";
import { openConfigStore } from "./open-config-store.ts";
import { openTelemetryReader, openTelemetryStore } from "./open-telemetry.ts";
import { postgresDialect, migrationClient as postgresMigrationClient } from "./postgres/migration-client.ts";
import { findPostgres, type PostgresServer, startPostgres } from "./postgres/testing/postgres-server.ts";
import { encodeBucket } from "./telemetry/bucket.ts";
import { migrationClient } from "./telemetry/database.ts";
import { batch, log, span } from "./telemetry/testing/records.ts";

// A database that an older version of the program filled is migrated where it is, with all that is in it; one of a newer version is left alone.

const root = resolve(import.meta.dirname, "../..");
const t0 = 1_767_225_600;
const traceId = "ab".repeat(16);
const logger = silentLogger;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "limpid-upgrade-"));
  folders.push(folder);
  return folder;
}

type Kind = "config" | "telemetry" | "config-postgres" | "telemetry-postgres";
const migrationsOf = (kind: Kind): string[] =>
  readdirSync(join(root, "prisma", kind, "migrations"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

/** A folder with the migrations of a version before: the first `count`. */
function olderMigrations(kind: Kind, count: number): string {
  const folder = temporary();
  for (const name of migrationsOf(kind).slice(0, count)) {
    cpSync(join(root, "prisma", kind, "migrations", name), join(folder, name), { recursive: true });
  }
  return folder;
}

/** Every state before the present one. */
const states = (kind: Kind, from = 1) =>
  migrationsOf(kind)
    .slice(from - 1, -1)
    .map((name, i) => ({ name, count: i + from }));

const newer = `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, started_at) VALUES ('x', 'x', '29990101000000_new', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)`;

const configSql = [
  `INSERT INTO "state" ("id", "revision") VALUES (1, 2)`,
  `INSERT INTO "commit" ("revision", "at", "author", "reason") VALUES (1, 1767225600000, 'ann', NULL), (2, 1767225601000, 'bo', 'why')`,
  ...["a", "b"].flatMap((name, i) => {
    const object = JSON.stringify({ apiVersion: "v1", kind: "Namespace", ...namespaceOf(name, i + 1), spec: {} });
    return [
      `INSERT INTO "resource" VALUES ('', '${name}', 'Namespace', '${object}')`,
      `INSERT INTO "change" VALUES (${i + 1}, 0, '', '${name}', 'Namespace', NULL, '${object}')`,
    ];
  }),
];
function namespaceOf(name: string, revision: number) {
  const times = { creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 };
  return { metadata: { name, namespace: "", uid: `uid-${name}`, resourceVersion: String(revision), ...times } };
}

async function expectConfig(place: { data: string; database: string | undefined }): Promise<void> {
  const store = await openConfigStore({ ...place, root, folder: undefined, logger });
  try {
    expect((await store.list()).items.map(({ metadata }) => [metadata.name, metadata.uid])).toEqual([
      ["a", "uid-a"],
      ["b", "uid-b"],
    ]);
    expect(await store.revision()).toBe(2);
    const put = {
      op: "put" as const,
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: "c", namespace: "" }, spec: {} },
    };
    expect((await store.commit([put], "ann")).revision).toBe(3);
  } finally {
    await store.close();
  }
}

const peer = "'default', 'page', 'v1', 'page-v1'";
const edgeColumns = `reporter, gateway, source_namespace, source_app, source_version, source_workload, service,
  destination_namespace, destination_app, destination_version, destination_workload, protocol, mtls`;
const edgeValues = `'source', 0, ${peer}, 'reviews.default.svc.cluster.local', 'default', 'reviews', 'v1', 'reviews-v1', 'http', 0`;
const requestColumns = `at, edge, code, flags, duration_us, request_bytes, response_bytes, method, path, authority, request_id, trace_id,
  upstream_cluster, upstream_host, details, config`;
const requestValues = `${t0 * 1000}, 1, 503, 0, 1500, 1, 2, 'GET', '/', 'reviews', 'r-1', '${traceId}', 'c', '127.0.0.1:1', 'via_upstream', ''`;

/** One second of an edge, as it was always encoded. */
function bucket(): Uint8Array {
  const latency = new LatencySketch();
  latency.add(5, 7);
  const sums = { count: 7, requestBytes: 70, responseBytes: 700, requestMessages: 0, responseMessages: 0 };
  return encodeBucket([{ edge: 1, code: 200, grpcStatus: -1, flags: 0, ...sums, latency }]);
}

async function expectTelemetry(place: { data: string; database: string | undefined }): Promise<void> {
  const store = await openTelemetryStore({ ...place, root }, {});
  const reader = await openTelemetryReader({ ...place, root });
  try {
    await expectAsBefore(reader);
    const collector = { flushedAtMs: (t0 + 60) * 1000 };
    const state = { seriesId: "s", timeMs: 1, startMs: 0, value: 2, histogram: undefined };
    const spans = [
      span(traceId, "2".repeat(16), t0 * 1e6 + 1, { scope: { name: "x", version: "1", attributes: { a: 1 } } }),
    ];
    const logs = [log(t0 * 1e6, { scopeAttributes: { team: "shop" } })];
    await store.write(batch({ id: 9_000, collector, metricStates: [state], spans, logs }));
    expect(await reader.trace(traceId)).toMatchObject([
      { spanId: "1".repeat(16) },
      { scope: { name: "x", attributes: { a: 1 } } },
    ]);
    expect(await reader.applicationLogs({ ...all, limit: 5 })).toMatchObject([{ scopeAttributes: { team: "shop" } }]);
    expect(await store.metricStates(["s"])).toEqual(new Map([["s", state]]));
  } finally {
    await reader.close();
    await store.close();
  }
}

const all = { fromMs: (t0 - 3600) * 1000, toMs: (t0 + 3600) * 1000 };

async function expectAsBefore(reader: TelemetryReader): Promise<void> {
  expect(await reader.sums(all)).toMatchObject([{ count: 7, edge: { service: "reviews.default.svc.cluster.local" } }]);
  expect(await reader.logs({ ...all, limit: 5 })).toMatchObject([{ requestId: "r-1", code: 503, traceId }]);
  expect(await reader.logs({ ...all, limit: 5, errorsOnly: true })).toHaveLength(1);
  expect(await reader.trace(traceId)).toMatchObject([{ spanId: "1".repeat(16), service: "reviews", name: "GET /" }]);
  expect(await reader.traces({ ...all, service: "reviews", operation: "GET /", limit: 5 })).toHaveLength(1);
}

describe("a database that is older than the program is migrated in place", () => {
  it.each(states("config"))("config in SQLite, after $name", async ({ count }) => {
    const data = temporary();
    const path = join(data, "config.db");
    await applyMigrations({ url: `file:${path}`, directory: olderMigrations("config", count) });
    const file = new DatabaseSync(path);
    for (const sql of configSql) file.exec(sql);
    file.close();
    await expectConfig({ data, database: undefined });
  });

  // Before, buckets were not encoded: such a roll-up begins anew.
  it.each(states("telemetry", 2))("telemetry in SQLite, after $name", async ({ count }) => {
    const data = temporary();
    const file = new DatabaseSync(join(data, "telemetry.db"));
    const client = migrationClient({
      exec: (sql) => file.exec(sql),
      all: (sql, ...values) => file.prepare(sql).all(...values),
    });
    await applyMigrations({ client, directory: olderMigrations("telemetry", count) });
    file.exec(`INSERT INTO edge (id, ${edgeColumns}) VALUES (1, ${edgeValues})`);
    file.prepare("INSERT INTO rollup VALUES (1, ?, 1, ?)").run(t0, bucket());
    const isFirst = count === 2;
    file.exec(
      `INSERT INTO access_log (batch, seq, ${requestColumns}${isFirst ? "" : ", error"}) VALUES (1, 0, ${requestValues}${isFirst ? "" : ", 1"})`,
    );
    const ids = isFirst ? `'${traceId}', '${"1".repeat(16)}', ''` : `x'${traceId}', x'${"1".repeat(16)}', x''`;
    const more = isFirst ? ["", ""] : [", resource, detail", ", 0, ''"];
    file.exec(
      `INSERT INTO span (trace_id, span_id, parent_span_id, service, name, kind, start_us, duration_us, error, attributes, received_at${more[0]})
         VALUES (${ids}, 'reviews', 'GET /', 2, ${t0 * 1e6}, 1500, 0, '{"k":"v"}', ${t0 * 1000}${more[1]})`,
    );
    if (!isFirst) {
      file.exec(
        `INSERT INTO trace VALUES (x'${traceId}', ${t0 * 1e6}, ${t0 * 1e6 + 1500}, 0, char(10) || 'reviews' || char(9) || 'GET /' || char(10), x'', ${t0 * 1000})`,
      );
    }
    file.close();
    await expectTelemetry({ data, database: undefined });
  });

  it("one of a newer program is refused in a sentence, and left as it is", async () => {
    const data = temporary();
    await (await openTelemetryStore({ data, root, database: undefined }, {})).close();
    await (await openConfigStore({ data, root, database: undefined, folder: undefined, logger })).close();
    for (const name of ["telemetry.db", "config.db"]) {
      const file = new DatabaseSync(join(data, name));
      file.exec(newer);
      file.close();
    }
    const opened = [
      openTelemetryStore({ data, root, database: undefined }, {}),
      openTelemetryReader({ data, root, database: undefined }),
      openConfigStore({ data, root, database: undefined, folder: undefined, logger }),
    ];
    for (const refused of await Promise.allSettled(opened)) {
      const error: unknown = refused.status === "rejected" ? refused.reason : undefined;
      expect(error).toBeInstanceOf(MigrationError);
      expect((error as Error).message).toMatch(
        /29990101000000_new, which this version .* it was used with a newer one$/,
      );
    }
    expect(readdirSync(data).filter((name) => /damaged|locked/.test(name))).toEqual([]);
  });
});

const binaries = findPostgres();

describe.skipIf(binaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
  });
  afterAll(() => server.stop());

  /** Brings an empty database to an older state, and fills it. */
  async function filled(
    kind: Kind,
    older: number,
    schema: string,
    statements: readonly (string | [string, unknown[]])[],
  ) {
    const database = await server.database(`upgrade_${++count}`);
    const client = new Client({ connectionString: database });
    await client.connect();
    try {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}; SET search_path TO ${schema}`);
      const directory = olderMigrations(kind, older);
      await applyMigrations({ client: postgresMigrationClient(client), directory, dialect: postgresDialect });
      for (const each of statements) await (typeof each === "string" ? client.query(each) : client.query(...each));
    } finally {
      await client.end();
    }
    return database;
  }

  it.each(states("config-postgres"))("config, after $name", async ({ count: older }) => {
    const database = await filled("config-postgres", older, "public", [
      ...configSql,
      `UPDATE "state" SET "identity" = 'mesh-1'`, // each start has found one there, or given it
    ]);
    await expectConfig({ data: temporary(), database });
  });

  it.each(states("telemetry-postgres"))("telemetry, after $name", async ({ count: older }) => {
    const day = `${t0 - 3600} TO ${t0 + 3600}`;
    const database = await filled("telemetry-postgres", older, "limpid_telemetry", [
      `INSERT INTO edge (id, identity, ${edgeColumns}, seen_at) VALUES (1, '\\x01', ${edgeValues}, ${t0 * 1000})`,
      ["INSERT INTO rollup_rows VALUES (1, $1, 1, $2)", [t0, Buffer.from(bucket())]],
      // Partitions, as a collector makes them, and rows beside them.
      `CREATE TABLE log_rows_1 PARTITION OF log_rows FOR VALUES FROM (${(t0 - 60) * 1e6}) TO (${t0 * 1e6})`,
      `INSERT INTO access_log_rows (${requestColumns}, grpc_status, proxy, error) VALUES (${requestValues}, -1, '', 1)`,
      `INSERT INTO log_rows (at_us, service, severity, severity_text, body, event_name, trace_id, span_id, scope, attributes, resource)
         VALUES (${(t0 - 30) * 1e6}, 'old', 9, '', 'from before ${day}', '', '', '', '', '{}', 0)`,
      `INSERT INTO span_rows (trace_id, span_id, parent_span_id, service, name, kind, start_us, duration_us, error, attributes, resource, detail, received_at)
         VALUES ('\\x${traceId}', '\\x${"1".repeat(16)}', '', 'reviews', 'GET /', 2, ${t0 * 1e6}, 1500, 0, '{}', 0, '', ${t0 * 1000})`,
      `INSERT INTO trace_rows VALUES ('\\x${traceId}', ${t0 * 1e6}, ${t0 * 1e6 + 1500}, 0, E'\\nreviews\\tGET /\\n', '', ${t0 * 1000})`,
      `INSERT INTO log_sender (id, last_batch, seen_at) VALUES ('p', 7, ${t0 * 1000})`,
    ]);
    const place = { data: temporary(), database };
    const reader = await openTelemetryReader({ ...place, root });
    expect(await reader.applicationLogs({ ...all, limit: 5 })).toMatchObject([{ service: "old", scopeAttributes: {} }]);
    await reader.close();
    await server.query(database, "DELETE FROM limpid_telemetry.log_rows");
    await expectTelemetry(place);
    const store = await openTelemetryStore({ ...place, root }, {});
    expect(await store.senders()).toEqual(new Map([["p", 7]]));
    await store.close();
  });
});
