import { parseDocumentsAside } from "../config/kinds/yaml-aside.ts";
import type { ConfigObject } from "../config/object.ts";
import { DashboardError, told } from "../contract/index.ts";
import { YamlLimitError } from "../lib/yaml/read-yaml.ts";

/** The objects of a text. Rejects with INVALID, which has every error, or TOO_LARGE. */
export async function readDocuments(text: string): Promise<ConfigObject[]> {
  const parsed = await parseDocumentsAside(text).catch((error: unknown) => {
    if (!(error instanceof YamlLimitError)) throw error;
    throw new DashboardError({ code: "TOO_LARGE", ...told("yaml-too-large", { why: error.message }) });
  });
  if (parsed.ok) return parsed.value;
  throw new DashboardError({ code: "INVALID", ...told("yaml-invalid", {}), errors: parsed.errors });
}
