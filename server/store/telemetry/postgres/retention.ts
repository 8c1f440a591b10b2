import type { ClientBase } from "pg";
import { placeOf, reasonOf } from "../../postgres/sql.ts";
import type { RetentionBook } from "../../retention-book.ts";
import { connectTelemetry, type TelemetryServer } from "./database.ts";

/** Settings of retention that all collectors of a database keep to. */
export function postgresRetention(server: TelemetryServer): RetentionBook {
  const ask = async <T>(work: (client: ClientBase) => Promise<T>): Promise<T> => {
    const client = await connectTelemetry(server);
    try {
      return await work(client);
    } catch (error) {
      const place = placeOf(server.url);
      throw new Error(`the telemetry database ${place} can't be asked for retention: ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      void client.end().catch(() => undefined);
    }
  };
  return {
    read: () =>
      ask(async (client) => {
        const { rows } = await client.query<{ settings: string }>("SELECT settings FROM retention");
        return rows[0]?.settings ?? "";
      }),
    write: (settings) =>
      ask(async (client) => void (await client.query("UPDATE retention SET settings = $1", [settings]))),
  };
}
