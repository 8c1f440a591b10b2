import { isAuthority, isHeaderName, isHeaderValue, isTarget } from "../../../lib/http-chars.ts";
import { type FlatHeaders, getHeader, removeHeader, setHeader } from "../../http/headers.ts";
import type { RequestContext } from "../../request/filter.ts";
import type { Change, Verdict } from "./verdict.ts";

type Allowed = Extract<Verdict, { kind: "allowed" }>;

/** Whether a service asks for what no message can have. */
export function isInvalid(verdict: Verdict): boolean {
  const headers = verdict.kind === "allowed" ? [...verdict.request, ...verdict.response] : verdict.headers;
  if (!headers.every(isSafe)) return true;
  return (
    verdict.kind === "allowed" &&
    verdict.parametersToSet.some((pair) => pair.some((text) => /[\0-\x20\x7f#]/.test(text)))
  );
}

const isSafe = ({ name, value }: Change): boolean => isHeaderName(name.replace(/^:/, "")) && isHeaderValue(value);

/** @returns whether the request is another now */
export function changeRequest(request: RequestContext, verdict: Allowed): boolean {
  const { headers } = request;
  for (const change of verdict.request) {
    if (!isSafe(change) || ownOfHop.has(change.name) || setPseudo(request, change.name, change.value)) continue;
    applyChange(headers, change);
  }
  for (const name of verdict.remove) {
    if (!name.startsWith(":") && name !== "host" && !ownOfHop.has(name)) removeHeader(headers, name);
  }
  request.path = changedPath(request.path, verdict);
  const { request: changed, remove, parametersToSet, parametersToRemove } = verdict;
  return changed.length + remove.length + parametersToSet.length + parametersToRemove.length > 0;
}

/** What a request says besides its fields. @returns whether it is such a thing, which is changed where that can be */
function setPseudo(request: RequestContext, name: string, value: string): boolean {
  if (name === ":path" && isTarget(value)) request.path = value;
  if ((name === ":authority" || name === "host") && isAuthority(value)) request.authority = value;
  return name.startsWith(":") || name === "host";
}

export function applyChange(headers: FlatHeaders, { name, value, how }: Change): void {
  const before = getHeader(headers, name);
  if (how === "append") {
    if (before !== undefined) setHeader(headers, name, `${before},${value}`);
  } else if (how === "add" || (how === "add if absent" && before === undefined)) headers.push(name, value);
  else if (how === "set" || (how === "set if there" && before !== undefined)) setHeader(headers, name, value);
}

/** Framing is this hop's own business. */
const ownOfHop = new Set(["content-length", "transfer-encoding", "connection", "upgrade", "te", "keep-alive"]);

/** For the response: what is safe, and not of the hop. */
export const responseChanges = (changes: readonly Change[]): Change[] =>
  changes.filter((change) => isSafe(change) && !change.name.startsWith(":") && !ownOfHop.has(change.name));

function changedPath(path: string, { parametersToSet, parametersToRemove }: Allowed): string {
  if (parametersToSet.length + parametersToRemove.length === 0) return path;
  const question = path.indexOf("?");
  const bare = question === -1 ? path : path.slice(0, question);
  const parameters = new Map<string, string[]>();
  for (const pair of question === -1 ? [] : path.slice(question + 1).split("&")) {
    if (pair === "") continue;
    const [, key = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    parameters.set(key, [...(parameters.get(key) ?? []), value]);
  }
  for (const [key, value] of parametersToSet) parameters.set(key, [value]);
  for (const key of parametersToRemove) parameters.delete(key);
  // In the order of their names, as Envoy writes them.
  const pairs = [...parameters].sort(([a], [b]) => (a < b ? -1 : 1));
  const query = pairs.flatMap(([key, values]) => values.map((value) => `${key}=${value}`)).join("&");
  return query === "" ? bare : `${bare}?${query}`;
}
