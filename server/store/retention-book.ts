import { join } from "node:path";
import { jsonFile } from "../lib/json-file.ts";
import { serverOf, type TelemetryPlace, telemetryVariable } from "./open-telemetry.ts";
import { postgresAddress } from "./postgres/address.ts";

/** Settings of retention that were made on a page, as `parseRetention` reads them; beside the telemetry that they are of. */
export interface RetentionBook {
  /** Empty: none was made. */
  read(): Promise<string>;
  write(settings: string): Promise<void>;
}

/** In the database that collectors share, or else in the data folder: a telemetry file can be thrown away, and settings are not meant. */
export function retentionBook(place: TelemetryPlace): RetentionBook {
  const url = postgresAddress(telemetryVariable, place.database);
  if (url !== undefined) {
    const onServer = async () =>
      (await import("./telemetry/postgres/retention.ts")).postgresRetention(serverOf(place, url));
    return {
      read: async () => (await onServer()).read(),
      write: async (settings) => (await onServer()).write(settings),
    };
  }
  const file = jsonFile(join(place.data, "retention.json"));
  return {
    async read() {
      const known = file.read();
      const has = known !== null && typeof known === "object" && "settings" in known;
      return has && typeof known.settings === "string" ? known.settings : "";
    },
    write: async (settings) => file.write({ settings }),
  };
}
