import { createRequire } from "node:module";

const load = createRequire(import.meta.url);

/**
 * A package of node_modules that most runs never need, loaded when it is first used and not at the start. Type parameter: the package's
 * `typeof import("name")`.
 */
export function lazyRequire<T>(name: string): () => T {
  let loaded: T | undefined;
  return () => {
    loaded ??= load(name) as T;
    return loaded;
  };
}
