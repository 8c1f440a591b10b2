import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version in Limpid's package.json, found upwards from here: sources and bundles lie at different depths. `0.0.0` when there is none. */
export function packageVersion(from = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (name === "limpid") return version;
    } catch {
      // none here
    }
    if (folder === dirname(folder)) return "0.0.0";
  }
}
