/** What a path leads to, or, when that is nothing, the methods that would lead somewhere. */
export type Match<T> = { target: T; params: Record<string, string> } | { target: undefined; allowed: string[] };

export interface Router<T> {
  /** `pattern` is a path whose segments are literal or `:name`. Routes are tried in the order in which they were added. */
  add(method: string, pattern: string, target: T): void;
  /** Parameters are percent-decoded. `allowed` is empty when the path itself is unknown. */
  match(method: string, path: string): Match<T>;
}

export function createRouter<T>(): Router<T> {
  const routes: { method: string; segments: string[]; target: T }[] = [];
  return {
    add(method, pattern, target) {
      routes.push({ method, segments: split(pattern), target });
    },
    match(method, path) {
      const segments = split(path);
      const allowed = new Set<string>();
      for (const route of routes) {
        const params = matchSegments(route.segments, segments);
        if (params === undefined) continue;
        if (route.method === method) return { target: route.target, params };
        allowed.add(route.method);
        if (route.method === "GET") allowed.add("HEAD");
      }
      return { target: undefined, allowed: [...allowed] };
    },
  };
}

const split = (path: string): string[] => path.split("/").filter((segment) => segment !== "");

function matchSegments(pattern: string[], segments: string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = decode(segments[index] ?? "");
    if (actual === undefined) return undefined;
    if (expected.startsWith(":")) params[expected.slice(1)] = actual;
    else if (expected !== actual) return undefined;
  }
  return params;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
