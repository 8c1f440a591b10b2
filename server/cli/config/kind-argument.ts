import type { KindDefinition } from "../../config/kind.ts";
import { kinds } from "../../config/kinds/index.ts";
import { CliError } from "./io.ts";

/** The kind that a person means by `vs`, `virtualservice`, `virtualservices`, `VirtualService` or `virtualservices.networking.istio.io`. Throws a CliError. */
export function kindArgument(text: string): KindDefinition {
  const [head = "", ...group] = text.toLowerCase().split(".");
  const found = kinds.find(
    (kind) =>
      [kind.plural, kind.singular, kind.kind.toLowerCase(), ...kind.shortNames].includes(head) &&
      (group.length === 0 || kind.group === group.join(".")),
  );
  if (found) return found;
  const known = kinds.map((kind) => [kind.plural, ...kind.shortNames].join("|")).join(", ");
  throw new CliError(`error: there is no kind "${text}"; the kinds are ${known}`);
}

/** The path of a collection or of one object; without a namespace, of all namespaces. */
export function pathOf(kind: KindDefinition, namespace: string | undefined, name?: string): string {
  const base = kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
  const inNamespace = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${base}${inNamespace}/${kind.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
