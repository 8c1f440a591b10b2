import { CliError } from "./io.ts";

/** As it is typed; see `momentQuery`. */
export type MomentOption = string;

export const momentText = "a revision of limpid history, or a time such as 2026-11-28T14:00:00Z";

/** A revision or a time, as the config API's query wants it. Throws a CliError when it is neither. */
export function momentQuery(at: MomentOption | undefined): URLSearchParams {
  if (at === undefined) return new URLSearchParams();
  if (/^\d{1,15}$/.test(at)) return new URLSearchParams({ revision: at });
  const ms = /^\d{4}-\d\d-\d\d/.test(at) ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(ms)) throw new CliError(`error: ${at} is neither a revision nor a time; say ${momentText}`);
  return new URLSearchParams({ at: String(ms) });
}
