import { readFileSync, statSync } from "node:fs";
import type { DataSource } from "../../gen/proto/envoy/config/core/v3/base_pb.js";

export interface Data {
  readonly text: string;
  /** Equal for equal contents. */
  readonly version: string;
}

/** Throws an Error that names the field and never what it holds. */
export function readData(source: DataSource, path: string): Data {
  const { specifier } = source;
  switch (specifier.case) {
    case "filename":
      try {
        const { mtimeMs, size } = statSync(specifier.value);
        return { text: readFileSync(specifier.value, "utf8"), version: `${specifier.value} ${mtimeMs} ${size}` };
      } catch (cause) {
        throw new Error(
          `${path}.filename: ${specifier.value} cannot be read (${(cause as NodeJS.ErrnoException).code})`,
        );
      }
    case "inlineString":
      return { text: specifier.value, version: "" };
    case "inlineBytes":
      return { text: Buffer.from(specifier.value).toString("utf8"), version: "" };
    default:
      throw new Error(`${path}: filename, inline_string or inline_bytes is required`);
  }
}
