/** Everything that is wrong with a piece of configuration, each as `path: what`. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** What a compile step threw, one problem each. */
export const problemsOf = (cause: unknown): readonly string[] =>
  cause instanceof ConfigError ? cause.problems : [(cause as Error).message];

/** Runs a compile step; its problems get `path` in front. */
export function at<T>(path: string, compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    throw new ConfigError(problemsOf(cause).map((problem) => under(path, problem)));
  }
}

/** Compiles all of a list and throws the problems of all, each under `path[index]`, or what `keyOf` gives in its place. */
export function each<S, T>(
  path: string,
  list: readonly S[],
  compile: (item: S, index: number) => T,
  keyOf: (item: S, index: number) => unknown = (_, index) => index,
): T[] {
  const made: T[] = [];
  const problems: string[] = [];
  for (const [index, item] of list.entries()) {
    try {
      made.push(compile(item, index));
    } catch (cause) {
      problems.push(...problemsOf(cause).map((problem) => under(`${path}[${keyOf(item, index)}]`, problem)));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return made;
}

/** Compiles the parts of an object and throws the problems of all. */
export function together<T extends object>(parts: { readonly [K in keyof T]: () => T[K] }): T {
  const made: Partial<T> = {};
  const problems: string[] = [];
  for (const key of Object.keys(parts) as (keyof T)[]) {
    try {
      made[key] = parts[key]();
    } catch (cause) {
      problems.push(...problemsOf(cause));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return made as T;
}

/** A problem that begins with a field goes on with the path; any other is told of it. */
const under = (path: string, problem: string): string =>
  `${path}${startsWithField.test(problem) ? "." : ": "}${problem}`;

const startsWithField = /^[a-z][a-z0-9_]*(\[[^\]]*\])*(\.[a-z0-9_]+(\[[^\]]*\])*)*: /;
