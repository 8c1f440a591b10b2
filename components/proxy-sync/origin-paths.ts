/** Every config path that a resource says it was made from: `filter_metadata.istio.config` in any of its metadata. */
export function originPaths(value: unknown): string[] {
  const found = new Set<string>();
  const visit = (item: unknown): void => {
    if (typeof item !== "object" || item === null) return;
    for (const [key, each] of Object.entries(item)) {
      if (key === "config" && typeof each === "string" && each.startsWith("/apis/")) found.add(each);
      else visit(each);
    }
  };
  visit(value);
  return [...found];
}
