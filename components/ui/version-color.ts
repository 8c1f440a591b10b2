const colours = 8;

/**
 * The CSS colour of a version, the same wherever it is shown. `v1`…`v5` (and `1`, `1.2.0`, by their first number) take the first five in
 * order, so that neighbours differ; every other name is hashed onto all of them, so that it never depends on what else is on the page.
 */
export function versionColor(version: string | null): string {
  if (version === null || version === "") return "var(--ink-3)";
  return `var(--v${versionIndex(version)})`;
}

export function versionIndex(version: string): number {
  const leading = /^v?(\d+)(?:$|[.\-_])/.exec(version)?.[1];
  if (leading !== undefined && Number(leading) >= 1 && Number(leading) <= 5) return Number(leading);
  let hash = 2166136261;
  for (let i = 0; i < version.length; i++) hash = Math.imul(hash ^ version.charCodeAt(i), 16777619);
  return ((hash >>> 0) % colours) + 1;
}
