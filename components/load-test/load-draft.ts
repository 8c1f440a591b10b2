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
  /** A line each: weight, method, path. */
  also: string;
  weight: number | string;
  rate: number | string;
  durationSec: number | string;
  warmUpSec: number | string;
  connections: number | string;
  timeoutMs: number | string;
  arrivals: LoadPlan["arrivals"];
  protocol: LoadPlan["protocol"];
}

export const usualDraft: LoadDraft = {
  ...{ target: "", host: "", path: "/", method: "GET", headers: "", body: "", also: "", weight: 1 },
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
    weight: Number(draft.weight),
    also: alsoIn(draft.also, target),
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

/** `3 POST /cart`; weight and method may be left out. What is no such line stands as the method, which the server refuses in its words. */
const alsoIn = (text: string, target: LoadTarget): unknown[] =>
  text.split(/\r?\n/).flatMap((line) => {
    if (line.trim() === "") return [];
    const read = /^\s*(?:(\d+)\s+)?(?:(\S+)\s+)?(\S+)\s*$/.exec(line) ?? ["", "1", line.trim(), ""];
    const [, weight = "1", method = "GET", path = ""] = read;
    return [{ weight: Number(weight), method, url: target.origin + (path.startsWith("/") ? path : `/${path}`) }];
  });

const alsoText = ({ also }: LoadPlan): string =>
  also
    .map(({ weight, method, url }) => `${weight} ${method} ${new URL(url).pathname}${new URL(url).search}`)
    .join("\n");

/** The form as it was for a run, so that it can be run again. */
export function draftOf(plan: LoadPlan, targets: readonly LoadTarget[]): LoadDraft {
  const { origin, pathname, search } = new URL(plan.url);
  const target = targets.find((one) => one.origin === origin);
  const named = Object.entries(plan.headers);
  return {
    ...plan,
    also: alsoText(plan),
    target: target ? targetKey(target) : "",
    path: pathname + search,
    host: named.find(([name]) => name.toLowerCase() === "host")?.[1] ?? "",
    headers: named.flatMap(([name, value]) => (name.toLowerCase() === "host" ? [] : `${name}: ${value}`)).join("\n"),
  };
}
