import type { InArgs, InStatement } from "@libsql/client";

type Value = Extract<InArgs, readonly unknown[]>[number];

/** SQLite binds at most 32,766 values to one statement; a quarter of that keeps the statements' text short. */
const maxValues = 8192;

/** Multi-row `INSERT … VALUES` statements for all rows; rows whose key is there already are left alone. */
export function insertStatements(
  table: string,
  columns: readonly string[],
  rows: readonly (readonly Value[])[],
): InStatement[] {
  const perStatement = Math.floor(maxValues / columns.length);
  const tuple = `(${columns.map(() => "?").join(",")})`;
  const head = `INSERT INTO ${table} (${columns.join(",")}) VALUES `;
  const statements: InStatement[] = [];
  for (let start = 0; start < rows.length; start += perStatement) {
    const part = rows.slice(start, start + perStatement);
    statements.push({
      sql: `${head}${Array.from(part, () => tuple).join(",")} ON CONFLICT DO NOTHING`,
      args: part.flat(),
    });
  }
  return statements;
}
