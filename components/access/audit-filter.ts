/** Parameters of the page and of the API; empty: any. */
export interface AuditFilter {
  actor: string;
  result: string;
  before: string;
}

/** What the address asks for. */
export const auditFilter = (get: (name: keyof AuditFilter) => string | null | undefined): AuditFilter => ({
  actor: get("actor") ?? "",
  result: get("result") ?? "",
  before: get("before") ?? "",
});

/** As the API takes it. */
export const auditQuery = (filter: AuditFilter): Record<string, string> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ""));
