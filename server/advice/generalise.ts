import { compilePathTemplate } from "../sidecar/text/path-template.ts";

/** Names of things rather than of places: numbers, UUIDs, and hexadecimal or base-62 text of some length that has a digit. */
const looksLikeId = (segment: string): boolean =>
  /^\d+$/.test(segment) ||
  /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(segment) ||
  (/^[0-9a-f]{8,}$/i.test(segment) && /\d/.test(segment)) ||
  /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[0-9A-Za-z_-]{20,}$/.test(segment);

/** A character means something else in a policy's paths: nothing there stands for such a path alone. */
export const isExpressible = (path: string): boolean => !/[*{}]/.test(path);

export interface Generalised {
  /** What stands in the policy, by path as it was seen. */
  byPath: ReadonlyMap<string, string>;
  paths: string[];
}

/**
 * @param most entries of the list; past it, the segment with the most different values becomes `{*}`, again and again, and where `tails` allows it, ends become `{**}`
 * https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation
 */
export function generalisePaths(seen: Iterable<string>, { most = 20, tails = false } = {}): Generalised {
  let byPath = new Map([...new Set(seen)].map((path) => [path, templateOf(path)] as const));
  const distinct = () => new Set(byPath.values());
  while (distinct().size > most) {
    const next = widen(byPath) ?? (tails ? shorten(byPath) : undefined);
    if (next === undefined) break;
    byPath = next;
  }
  return { byPath, paths: [...distinct()].sort() };
}

function templateOf(path: string): string {
  const segments = path.split("/");
  if (!segments.some(looksLikeId)) return path;
  const made = segments.map((it) => (looksLikeId(it) ? "{*}" : it)).join("/");
  return fits(made, path) ? made : path;
}

/** Envoy's templates take fewer characters than paths have. */
function fits(template: string, path: string): boolean {
  try {
    return compilePathTemplate(template.replaceAll("{*}", "*").replaceAll("{**}", "**"))(path);
  } catch {
    return false;
  }
}

/** One more segment of the paths that are equally long becomes any; undefined: there is none left. */
function widen(byPath: ReadonlyMap<string, string>): Map<string, string> | undefined {
  const best = positions(byPath).toSorted((a, b) => b.values.size - a.values.size)[0];
  if (best === undefined || best.values.size < 2) return undefined;
  const next = new Map<string, string>();
  for (const [path, template] of byPath) {
    const segments = template.split("/");
    if (segments.length === best.length) segments[best.at] = "{*}";
    const made = segments.join("/");
    next.set(path, made !== template && fits(made, path) ? made : template);
  }
  return new Set(next.values()).size < new Set(byPath.values()).size ? next : undefined;
}

function positions(byPath: ReadonlyMap<string, string>): { length: number; at: number; values: Set<string> }[] {
  const found = new Map<string, { length: number; at: number; values: Set<string> }>();
  for (const template of byPath.values()) {
    const segments = template.split("/");
    for (const [at, value] of segments.entries()) {
      if (at === 0) continue;
      const key = `${segments.length} ${at}`;
      const entry = found.get(key) ?? { length: segments.length, at, values: new Set<string>() };
      found.set(key, entry);
      entry.values.add(value);
    }
  }
  return [...found.values()];
}

/** Everything below a first segment. */
function shorten(byPath: ReadonlyMap<string, string>): Map<string, string> | undefined {
  const next = new Map(
    [...byPath].map(([path, template]) => {
      const [, first = "", ...rest] = template.split("/");
      const made = `/${first}/{**}`;
      return [path, rest.length > 0 && fits(made, path) ? made : template] as const;
    }),
  );
  return new Set(next.values()).size < new Set(byPath.values()).size ? next : undefined;
}
