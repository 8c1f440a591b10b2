import type { RequestContext } from "../../request/filter.ts";

/** What becomes of one header: `append` joins with a comma where it is, and does nothing where it isn't. */
export interface Change {
  readonly name: string;
  readonly value: string;
  readonly how: "set" | "set if there" | "add" | "add if absent" | "append";
}

interface Allowed {
  readonly kind: "allowed";
  readonly request: readonly Change[];
  readonly remove: readonly string[];
  readonly response: readonly Change[];
  /** Of the query. */
  readonly parametersToSet: readonly (readonly [string, string])[];
  readonly parametersToRemove: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface Denied {
  readonly kind: "denied";
  readonly status: number;
  /** Bytes as a latin1 string. */
  readonly body: string;
  readonly headers: readonly Change[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Nobody has said yes or no. */
interface Failed {
  readonly kind: "failed";
  /** What the service wants the client to hear, if it said so. */
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: readonly Change[];
}

export type Verdict = Allowed | Denied | Failed;

export const noVerdict: Failed = { kind: "failed", status: undefined, body: "", headers: [] };

/** What a service is asked about. */
export interface Question {
  readonly request: RequestContext;
  /** Undefined: there is none, or it is not wanted. */
  readonly body: { readonly bytes: Buffer; readonly partial: boolean } | undefined;
  /** Of the routes, the more specific win. */
  readonly contextExtensions: Readonly<Record<string, string>>;
  /** Unix ms. */
  readonly startMs: number;
}
