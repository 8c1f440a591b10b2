/** What is done with a path that has `%2F` or `%5C`; `redirect`: the client is told the path without, and comes again. */
export type EscapedSlashes = "keep" | "reject" | "unescape" | "redirect";

/** Whether a path has encoded slashes, before its query. */
export const hasEscapedSlashes = (path: string): boolean => /^[^?]*%(?:2f|5c)/i.test(path);

/**
 * Path normalization as Envoy's `path_with_escaped_slashes_action`, `normalize_path` and `merge_slashes`, in this order: unreserved characters decoded, what a URL may not hold encoded, backslashes
 * turned, dot segments removed (RFC 3986, 6.2.2), so that a route or policy and the upstream see the same path. The query is left alone.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto
 * @returns undefined when the path has an encoded NUL, or an encoded slash where these are refused
 */
export function normalizePath(
  path: string,
  normalize: boolean,
  mergeSlashes: boolean,
  escapedSlashes: EscapedSlashes = "keep",
): string | undefined {
  if (!suspicious.test(path)) return path;
  const question = path.indexOf("?");
  let raw = question === -1 ? path : path.slice(0, question);
  const query = question === -1 ? "" : path.slice(question);
  if (escapedSlashes !== "keep") {
    const unescaped = raw.replace(/%2f/gi, "/").replace(/%5c/gi, "\\");
    if (escapedSlashes === "reject" && unescaped !== raw) return undefined;
    raw = unescaped;
  }
  if (normalize) {
    if (raw.includes("%00")) return undefined;
    raw = removeDots(encodeUnsafe(decodeUnreserved(raw.replaceAll("\\", "/"))));
  }
  if (mergeSlashes) raw = raw.replace(/\/{2,}/g, "/");
  return raw + query;
}

/** Most paths hold none of these, and are done. */
const suspicious = /[%\\"<>^`{|}]|\/\.|\/\//;

/** Other escapes, broken ones too, stay as they came: they mean what the upstream takes them for. */
const decodeUnreserved = (path: string): string =>
  path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escaped;
  });

const encodeUnsafe = (path: string): string =>
  path.replace(/["<>^`{|}]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** `..;x` is one too: servers that know path parameters would take it for one behind our back. */
function removeDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const dots = /^(\.\.?)(?:;.*)?$/.exec(segment)?.[1];
    if (dots === undefined) {
      kept.push(segment);
      continue;
    }
    if (dots === ".." && kept.length > 1) kept.pop();
    if (index === segments.length - 1) kept.push("");
  }
  return kept.join("/");
}
