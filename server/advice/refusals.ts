import type { ConfigRule, RefusalGroup, RefusedCaller, WorkloadSecurity } from "../contract/index.ts";
import type { LogRow } from "../query/reader.ts";
import type { Guarding } from "./guarding.ts";
import { callerOf } from "./mutual-tls.ts";
import { type Refusal, refusalOf } from "./refusal.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

const mostCallers = 20;

/** Refused requests by what refused them, the most frequent first. */
export function groupRefusals(
  rows: readonly LogRow[],
  workloads: readonly AdvisedWorkload[],
  guarding: Guarding,
): RefusalGroup[] {
  const own = new Map(workloads.map((it) => [`${it.namespace}/${it.name}`, it]));
  const told = rows.flatMap((row) => {
    const refusal = refusalOf(row.details);
    const { from, to } = endsOf(row);
    return refusal ? [{ row, refusal, from, to, by: blamed(refusal, own.get(to), guarding) }] : [];
  });
  const groups = Map.groupBy(told, ({ row, refusal, by }) => `${refusal.kind} ${row.details} ${JSON.stringify(by)}`);
  return [...groups.values()]
    .flatMap((all): RefusalGroup[] => {
      const [first] = all;
      if (!first) return [];
      return [
        {
          kind: first.refusal.kind,
          by: first.by,
          details: first.row.details,
          calls: all.length,
          lastAt: all.reduce((last, { row }) => Math.max(last, row.atMs), 0),
          callers: callersOf(all),
        },
      ];
    })
    .sort((a, b) => b.calls - a.calls || (b.lastAt ?? 0) - (a.lastAt ?? 0));
}

/** Workloads at which STRICT turned plain text away: connections, of which nobody knows more than how many. */
export const strictRefusals = (workloads: readonly WorkloadSecurity[]): RefusalGroup[] =>
  workloads
    .filter(({ turnedAway }) => turnedAway > 0)
    .map(({ namespace, name, ports, turnedAway }) => ({
      kind: "strict",
      by: [
        ...new Map(
          ports.flatMap(({ mode, by }): [string, ConfigRule][] =>
            mode === "STRICT" && by
              ? [
                  [
                    `${by.namespace}/${by.name}`,
                    { kind: "PeerAuthentication", namespace: by.namespace, name: by.name, rule: by.field },
                  ],
                ]
              : [],
          ),
        ).values(),
      ],
      details: "",
      calls: turnedAway,
      lastAt: null,
      callers: [{ caller: "", mtls: false, destination: `${namespace}/${name}`, calls: turnedAway, sample: null }],
    }));

/** A gateway's lines tell of whom it calls; what it refused itself has gone no further. Its node id: `router~<ip>~<name>.<namespace>~<domain>`. */
function endsOf({ direction, edge, proxy }: LogRow): { from: string; to: string } {
  if (direction !== "gateway") return { from: callerOf(edge.source), to: callerOf(edge.destination) };
  const [, workload = "", namespace = ""] = /^[^~]+~[^~]*~(.+)\.([^.~]+)~/.exec(proxy) ?? [];
  return { from: "", to: callerOf({ namespace, workload }) };
}

/** The rule that denied, or those that should have allowed, or asked, or known the token. */
function blamed({ kind, rule }: Refusal, at: AdvisedWorkload | undefined, guarding: Guarding): ConfigRule[] {
  if (rule) {
    const { namespace, name, index } = rule;
    return [{ kind: "AuthorizationPolicy", namespace, name, rule: `rules[${index}]` }];
  }
  if (at === undefined) return [];
  if (kind === "token")
    return guarding.authentications(at).map((it) => ({ kind: "RequestAuthentication", ...it, rule: "" }));
  const action = kind === "provider" ? "CUSTOM" : "ALLOW";
  return guarding
    .policies(at)
    .filter((it) => it.action === action && !it.dryRun)
    .map(({ namespace, name }) => ({ kind: "AuthorizationPolicy", namespace, name, rule: "" }));
}

/** Alike: the same caller, method and path. */
function callersOf(all: readonly { row: LogRow; from: string; to: string }[]): RefusedCaller[] {
  const alike = Map.groupBy(all, ({ row, from, to }) => [from, row.edge.mtls, to, row.method, pathOf(row)].join(" "));
  return [...alike.values()]
    .flatMap((its): RefusedCaller[] => {
      const [first] = its.toSorted((a, b) => b.row.atMs - a.row.atMs);
      if (!first) return [];
      const { atMs, method, code, requestId, traceId, edge } = first.row;
      const sample = { at: atMs, method, path: pathOf(first.row), code, requestId, traceId };
      return [{ caller: first.from, mtls: edge.mtls, destination: first.to, calls: its.length, sample }];
    })
    .sort((a, b) => b.calls - a.calls)
    .slice(0, mostCallers);
}

/** Without its query, in which secrets may be. */
const pathOf = ({ path }: LogRow): string => path.replace(/[?#].*$/s, "");
