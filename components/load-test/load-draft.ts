import type { LoadPlan, LoadTarget } from "../../server/contract/index.ts";

/** What the form holds: as people type it. */
export interface LoadDraft {
  /** Key of the target, see {@link targetKey}. */
  target: string;
  host: string;
  path: string;
  method: string;
  headers: string;
  body: string;
  rate: number | string;
  durationSec: number | string;
  warmUpSec: number | string;
  connections: number | string;
  timeoutMs: number | string;
  arrivals: LoadPlan["arrivals"];
  protocol: LoadPlan["protocol"];
}

export const usualDraft: LoadDraft = {
  ...{ target: "", host: "", path: "/", method: "GET", headers: "", body: "" },
  ...{ rate: 20, durationSec: 30, warmUpSec: 0, connections: 16, timeoutMs: 10_000 },
  ...{ arrivals: "poisson", protocol: "http1" },
};

export const targetKey = ({ namespace, name, origin }: LoadTarget): string => `${namespace}/${name} ${origin}`;

/** What a target is asked as a rule: the first name that it answers to. Undefined where it is there no more. */
export const chosenTarget = (targets: readonly LoadTarget[], draft: LoadDraft): LoadTarget | undefined =>
  targets.find((target) => targetKey(target) === draft.target) ?? (draft.target === "" ? targets[0] : undefined);

/** The request for `POST /api/load-tests`. What makes no sense in it the server says, field by field. */
export function planOf(draft: LoadDraft, target: LoadTarget): unknown {
  const { path, method, body, rate, durationSec, warmUpSec, connections, timeoutMs, arrivals, protocol } = draft;
  const host = draft.host.trim();
  return {
    url: target.origin + (path.startsWith("/") ? path : `/${path}`),
    headers: { ...(host !== "" && { host }), ...headersIn(draft.headers) },
    ...{ method, body, arrivals, protocol },
    rate: Number(rate),
    durationSec: Number(durationSec),
    warmUpSec: Number(warmUpSec),
    connections: Number(connections),
    timeoutMs: Number(timeoutMs),
    // A gateway's certificate is for its hosts, and here it is reached by its address.
    insecure: target.origin.startsWith("https:"),
  };
}

/** A line each; what has no colon stands as the name of a header, which the server refuses in its words. */
function headersIn(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return colon < 1 ? [line, ""] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** The form as it was for a run, so that it can be run again. */
export function draftOf(plan: LoadPlan, targets: readonly LoadTarget[]): LoadDraft {
  const { origin, pathname, search } = new URL(plan.url);
  const target = targets.find((one) => one.origin === origin);
  const named = Object.entries(plan.headers);
  return {
    ...plan,
    target: target ? targetKey(target) : "",
    path: pathname + search,
    host: named.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "",
    headers: named.flatMap(([name, value]) => (name.toLowerCase() === "host" ? [] : `${name}: ${value}`)).join("\n"),
  };
}
