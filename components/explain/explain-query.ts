/** What the form keeps in the address, and the API is asked with: the same names in both. */
export const explainParams = ["from", "method", "url", "headers", "identity"] as const;
export type ExplainParam = (typeof explainParams)[number];

/** Undefined while who calls or what is called is missing. */
export function explainQuery(
  get: (name: ExplainParam) => string | null | undefined,
): Record<string, string> | undefined {
  const query = Object.fromEntries(explainParams.flatMap((name) => (get(name) ? [[name, get(name) ?? ""]] : [])));
  return query.from && query.url ? query : undefined;
}
