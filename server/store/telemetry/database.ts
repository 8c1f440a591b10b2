import { type Client, createClient } from "@libsql/client";

/** Brings the file's schema up to date before anything reads it; from server/store/migrate.ts. */
export type Migrate = (client: Client) => Promise<void>;

/** One connection, so that what is set on it stays set. WAL lets readers in other processes go on while a batch is written. */
export async function openDatabase(path: string): Promise<Client> {
  const client = createClient({ url: `file:${path}`, concurrency: 1, timeout: 5000 });
  try {
    await client.execute("PRAGMA journal_mode = WAL");
    // The newest second may be lost when the machine (not the process) goes down: telemetry can bear that.
    await client.execute("PRAGMA synchronous = NORMAL");
    await client.execute("PRAGMA journal_size_limit = 16777216");
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}
