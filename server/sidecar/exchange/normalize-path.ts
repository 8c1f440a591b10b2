/**
 * Path normalization as Envoy's `normalize_path` and `merge_slashes`: unreserved characters decoded, backslashes turned, dot segments removed
 * (RFC 3986, 6.2.2), so that a route or policy and the upstream see the same path. The query is left alone.
 * @returns undefined when the path has a broken escape or NUL
 */
export function normalizePath(path: string, normalize: boolean, mergeSlashes: boolean): string | undefined {
  if (!suspicious.test(path)) return path;
  const question = path.indexOf("?");
  let raw = question === -1 ? path : path.slice(0, question);
  const query = question === -1 ? "" : path.slice(question);
  if (normalize) {
    const decoded = decodeUnreserved(raw);
    const resolved = decoded === undefined ? undefined : removeDots(decoded.replaceAll("\\", "/"));
    if (resolved === undefined) return undefined;
    raw = resolved;
  }
  if (mergeSlashes) raw = raw.replace(/\/{2,}/g, "/");
  return raw + query;
}

/** Most paths hold none of these, and are done. */
const suspicious = /%|\\|\/\.|\/\//;

function decodeUnreserved(path: string): string | undefined {
  if (!path.includes("%")) return path;
  if (/%(?![0-9a-fA-F]{2})/.test(path) || /%00/.test(path)) return undefined;
  return path.replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
    const char = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escaped.toUpperCase();
  });
}

function removeDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === "..") {
      if (kept.length > 1) kept.pop();
    } else if (segment !== ".") {
      kept.push(segment);
      continue;
    }
    if (last) kept.push("");
  }
  return kept.join("/");
}
