import { readFileSync } from "node:fs";
import type { DataSource } from "../../gen/proto/envoy/config/core/v3/base_pb.js";

/** What a DataSource holds, as text. Throws an Error that names the field, and the file that cannot be read; never what is in it. */
export function readSource(source: DataSource | undefined, path: string): string {
  switch (source?.specifier.case) {
    case "filename":
      try {
        return readFileSync(source.specifier.value, "utf8");
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        throw new Error(`${path}.filename: ${source.specifier.value} cannot be read (${code})`);
      }
    case "inlineString":
      return source.specifier.value;
    case "inlineBytes":
      return Buffer.from(source.specifier.value).toString("utf8");
    case undefined:
      throw new Error(`${path}: filename, inline_string or inline_bytes is required`);
    default:
      throw new Error(`${path}.environment_variable: not supported`);
  }
}

/** The file that a DataSource names, for dumps. */
export const sourcePath = (source: DataSource | undefined): string =>
  source?.specifier.case === "filename" ? source.specifier.value : "<inline>";
