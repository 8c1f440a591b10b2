import { stringify } from "yaml";
import type { ConfigObject } from "../../../config/object.ts";

/** The object as its author would write it: without what the server sets. Empty for none. */
export function toYaml(object: ConfigObject | undefined): string {
  if (object === undefined) return "";
  const { name, namespace, labels, annotations } = object.metadata;
  const shown = Object.entries(annotations ?? {}).filter(([key]) => key !== lastApplied);
  const metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    ...(labels ? { labels } : {}),
    ...(shown.length > 0 ? { annotations: Object.fromEntries(shown) } : {}),
  };
  const { apiVersion, kind, spec } = object;
  return stringify({ apiVersion, kind, metadata, spec }, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** kubectl's copy of the whole document: in a diff it would say everything twice. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
