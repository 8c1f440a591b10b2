import type { ConfigObject } from "../../../config/object.ts";
import { keyOf, type ResourceKey } from "../../../config/object.ts";
import type { ConfigWarning, Told } from "../../../contract/index.ts";

/** What a check says of the object that it looks at; `path` is empty for the whole of it. */
export interface Finding extends Told {
  path: string;
}

export const warningAt = (
  { kind, namespace, name }: ResourceKey,
  { path, message, reason, params }: Finding,
): ConfigWarning => ({
  kind,
  namespace,
  name,
  path,
  message,
  ...(reason && { reason }),
  ...(params && { params: { ...params } }),
});

export const warningOf = (object: ConfigObject, finding: Finding): ConfigWarning => warningAt(keyOf(object), finding);

/** `spec.http[0].route: …`, with the object's name before it when there are several. */
export const warningText = (
  { kind, namespace, name, path, message }: ConfigWarning,
  options: { named: boolean },
): string =>
  [options.named ? `${kind} ${namespace ? `${namespace}/` : ""}${name}` : "", path, message].filter(Boolean).join(": ");

/** What is longer is cut: clients bound a response's head (Node's at 16 KiB), and as Kubernetes' API server this keeps to 4 KiB of warnings. */
const maxTextLength = 512;
const maxTotalLength = 4_096;

/**
 * The `Warning` header that kubectl prints: https://kubernetes.io/blog/2020/09/03/warnings/
 * `named`: each says its object; unset: when there are several.
 */
export function warningHeader(
  warnings: readonly ConfigWarning[],
  options: { named?: boolean } = {},
): Record<string, string> {
  if (warnings.length === 0) return {};
  const objects = new Set(warnings.map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`));
  const named = options.named ?? objects.size > 1;
  const texts: string[] = [];
  let left = maxTotalLength;
  for (const warning of warnings) {
    const text = quoted(warningText(warning, { named }));
    left -= text.length;
    if (left < 0) break;
    texts.push(`299 - ${text}`);
  }
  if (texts.length < warnings.length) texts.push(`299 - "and ${warnings.length - texts.length} more warnings"`);
  return { warning: texts.join(", ") };
}

/** A quoted string of HTTP (RFC 9110 §5.6.4): what is no printable ASCII would be refused, or read as another script. */
const quoted = (text: string): string =>
  `"${text
    .slice(0, maxTextLength)
    .replace(/[^\x20-\x7e]/g, "?")
    .replace(/[\\"]/g, "\\$&")}"`;
