import type { SharedClientAdapter } from "./shared-client-adapter.ts";

type Value = string | number | bigint | null;

export interface WriteTransaction {
  /** Runs one statement and gives its rows, each by column. `?` stands for a value, at most 32,766 in a statement. */
  query(sql: string, ...values: Value[]): Promise<unknown[][]>;
  execute(sql: string, ...values: Value[]): Promise<void>;
}

/**
 * Runs `work` in a transaction on Prisma's driver adapter itself, one after another, and rolls back when it throws. Prisma's client above
 * it (query plans, batching, spans, timeouts per transaction) makes a commit of four statements twice as long, and proxies wait for it:
 * docs/benchmarks.md. Rejects with what `work` or the adapter throws.
 */
export async function writeTransaction<T>(
  adapter: SharedClientAdapter,
  work: (transaction: WriteTransaction) => Promise<T>,
): Promise<T> {
  const driver = await adapter.connect();
  const transaction = await driver.startTransaction();
  let result: T;
  try {
    result = await work({
      query: async (sql, ...values) => (await transaction.queryRaw(statement(sql, values))).rows,
      execute: async (sql, ...values) => void (await transaction.executeRaw(statement(sql, values))),
    });
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
  await transaction.commit();
  return result;
}

/** Values go to SQLite as they are: the types only tell the adapter how to read text that stands for something else. */
const statement = (sql: string, args: Value[]) => ({ sql, args, argTypes: args.map(() => asItIs) });
const asItIs = { arity: "scalar", scalarType: "unknown" } as const;
