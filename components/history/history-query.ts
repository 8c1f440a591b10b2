/** Parameters of the page's address that narrow the history, as `/api/changes` has them. */
export const historyParams = ["object", "author", "type", "since", "until"] as const;

export const changeKinds = ["config", "traffic", "fault-start", "fault-end"] as const;

/** What the API is asked with, of what the address says; a number that is none is left out. */
export function historyQuery(get: (name: string) => string | null | undefined, limit: number): Record<string, string> {
  const asked = historyParams.flatMap((name): [string, string][] => {
    const value = get(name)?.trim() ?? "";
    if (value === "") return [];
    if ((name === "since" || name === "until") && !/^\d{1,15}$/.test(value)) return [];
    if (name === "type" && !(changeKinds as readonly string[]).includes(value)) return [];
    return [[name, value]];
  });
  return { ...Object.fromEntries(asked), limit: String(limit) };
}
