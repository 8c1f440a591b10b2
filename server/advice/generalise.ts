import { compilePathTemplate } from "../sidecar/text/path-template.ts";

/** Names of things rather than of places: numbers, UUIDs, and hexadecimal or base-62 text of some length that has a digit. */
const looksLikeId = (segment: string): boolean =>
  /^\d+$/.test(segment) ||
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(segment) ||
  (/^[0-9a-f]{8,}$/i.test(segment) && /\d/.test(segment)) ||
  /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[0-9A-Za-z_-]{20,}$/.test(segment);

/** Fewer might be all there are: two years in a path are no identifiers. */
const fewestValues = 3;

/** A character means something else in a policy's paths: nothing there stands for such a path alone. */
export const isExpressible = (path: string): boolean => !/[*{}]/.test(path);

export interface Generalised {
  /** What stands in the policy, by path as it was seen. */
  byPath: ReadonlyMap<string, string>;
  paths: string[];
}

/**
 * Paths that differ in identifiers alone become one, with `{*}` for each segment of which enough values were seen. Everything else stands as it was seen, however
 * much there is of it: a policy never lets in what nobody has asked for, but by such a segment. Where `tails` allows it, ends become `{**}` until there are `most` at the most.
 * https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
 */
export function generalisePaths(seen: Iterable<string>, { most = 20, tails = false } = {}): Generalised {
  const alike = Map.groupBy(new Set(seen), shapeOf);
  const byIds = new Map([...alike.values()].flatMap(withoutIds));
  const byPath = tails ? shortened(byIds, most) : byIds;
  return { byPath, paths: distinct(byPath) };
}

const distinct = (byPath: ReadonlyMap<string, string>): string[] => [...new Set(byPath.values())].sort();

/** Paths of one shape may differ in identifiers, and in nothing else. */
const shapeOf = (path: string): string =>
  path
    .split("/")
    .map((segment) => (looksLikeId(segment) ? "{*}" : segment))
    .join("/");

/** Of paths of one shape. */
function withoutIds(paths: readonly string[]): [string, string][] {
  const values: Set<string>[] = [];
  for (const path of paths)
    for (const [at, segment] of path.split("/").entries()) {
      values[at] ??= new Set();
      values[at].add(segment);
    }
  const many = values.map((own) => own.size >= fewestValues);
  return paths.map((path) => {
    const segments = path.split("/");
    const made = segments.map((segment, at) => (many[at] ? "{*}" : segment)).join("/");
    return [path, fits(made, path) ? made : path];
  });
}

/** Envoy's templates take fewer characters than paths have. */
function fits(template: string, path: string): boolean {
  if (template === path) return true;
  try {
    return compilePathTemplate(template.replaceAll("{*}", "*").replaceAll("{**}", "**"))(path);
  } catch {
    return false;
  }
}

/** Everything below a folder becomes one, from the deepest folders on and where there is most, until the list is short enough. */
function shortened(byPath: ReadonlyMap<string, string>, most: number): ReadonlyMap<string, string> {
  const deepest = Math.max(0, ...[...byPath.values()].map((template) => template.split("/").length - 2));
  const next = new Map(byPath);
  let count = distinct(next).length;
  for (let depth = deepest; depth > 0 && count > most; depth--) {
    const folders = Map.groupBy(next, ([, template]) => folderOf(template, depth));
    const fullest = [...folders]
      .map(([folder, own]) => ({ folder, own, templates: new Set(own.map(([, template]) => template)).size }))
      .filter(({ folder, templates }) => folder !== "" && templates > 1)
      .sort((a, b) => b.templates - a.templates);
    for (const { folder, own } of fullest) {
      if (count <= most) break;
      for (const [path] of own) if (fits(`${folder}/{**}`, path)) next.set(path, `${folder}/{**}`);
      count = distinct(next).length;
    }
  }
  return next;
}

/** The first segments of a path that has more of them; else "". */
function folderOf(template: string, depth: number): string {
  const segments = template.split("/");
  return segments.length > depth + 1 ? segments.slice(0, depth + 1).join("/") : "";
}
