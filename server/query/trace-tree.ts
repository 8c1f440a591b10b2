import type { Stretch, Trace, TraceSpan } from "../contract/index.ts";
import type { SpanRow } from "./reader.ts";
import { correctSkew } from "./trace-skew.ts";
import { criticalPath, gapsBetween, selfTime } from "./trace-times.ts";

/** A span at its place. Times are Unix microseconds, `startUs` as it was corrected. */
export interface SpanNode {
  id: string;
  span: SpanRow;
  missing: boolean;
  children: SpanNode[];
  startUs: number;
  endUs: number;
  skewUs: number;
}

/** The spans of one trace as a tree, with what is read off it; undefined without spans. Takes them in any order. */
export function buildTrace(spans: readonly SpanRow[]): Trace | undefined {
  const [first] = spans;
  if (!first) return undefined;
  const roots = treeOf(spans);
  for (const root of roots) correctSkew(root);
  const order = inOrder(roots);
  const startUs = order.reduce((least, { node }) => Math.min(least, node.startUs), Number.POSITIVE_INFINITY);
  const endUs = order.reduce((most, { node }) => Math.max(most, node.endUs), 0);
  const critical = new Map<string, Stretch[]>();
  for (const root of roots) criticalPath(root, critical);
  const relative = ([from, to]: Stretch): Stretch => [from - startUs, to - startUs];
  const tree = order.map(({ node, depth }) => ({
    ...toSpan(node, depth, startUs),
    critical: (critical.get(node.id) ?? []).map(relative),
    gaps: gapsBetween(node.children).map(relative),
  }));
  countDescendants(tree);
  const root = tree.find(({ missing }) => !missing);
  return {
    traceId: first.traceId,
    startMs: startUs / 1000,
    durationMs: (endUs - startUs) / 1000,
    spans: spans.length,
    errors: spans.filter(({ error }) => error).length,
    services: [...new Set(spans.map(({ service }) => service))].toSorted(),
    root: { name: root?.name ?? "", service: root?.service ?? "" },
    tree,
    totals: totalsOf(tree),
    gaps: gapsBetween(roots).map(relative),
  };
}

/** Roots with all below them. A parent that nobody sent is made up, so that its children stay together. */
function treeOf(spans: readonly SpanRow[]): SpanNode[] {
  const byId = new Map<string, SpanNode[]>();
  const seen = new Set<string>();
  const nodes = spans.map((span, index) => {
    const id = seen.has(span.spanId) ? `${span.spanId}.${index}` : span.spanId;
    seen.add(id);
    return nodeOf(id, span);
  });
  // A sender of Zipkin's may give both ends of a call one id: the server's is below the client's, and has the children.
  for (const node of nodes) {
    const twins = byId.get(node.span.spanId);
    if (!twins) byId.set(node.span.spanId, [node]);
    else if (node.span.kind === 3) twins.unshift(node);
    else twins.push(node);
  }
  const parents = new Map<SpanNode, SpanNode>();
  const roots: SpanNode[] = [];
  const missing = ({ span }: SpanNode): SpanNode => {
    const made = {
      ...nodeOf(span.parentSpanId, { ...nobody, traceId: span.traceId, spanId: span.parentSpanId }),
      missing: true,
    };
    byId.set(made.id, [made]);
    roots.push(made);
    return made;
  };
  for (const node of nodes) {
    const { spanId, parentSpanId } = node.span;
    const [twin] = byId.get(spanId) ?? [];
    const above = parentSpanId ? (byId.get(parentSpanId)?.at(-1) ?? missing(node)) : undefined;
    const parent = twin !== node ? twin : above;
    if (parent) parents.set(node, parent);
  }
  cutRings(nodes, parents);
  for (const node of nodes) (parents.get(node)?.children ?? roots).push(node);
  return roots;
}

/** A parent before its children, those by their start. */
function inOrder(roots: SpanNode[]): { node: SpanNode; depth: number }[] {
  const byStart = (nodes: SpanNode[]) => nodes.sort((a, b) => a.startUs - b.startUs || a.id.localeCompare(b.id));
  const order: { node: SpanNode; depth: number }[] = [];
  const open = byStart(roots)
    .toReversed()
    .map((node) => ({ node, depth: 0 }));
  for (let item = open.pop(); item; item = open.pop()) {
    order.push(item);
    const depth = item.depth + 1;
    for (const node of byStart(item.node.children).toReversed()) open.push({ node, depth });
  }
  return order;
}

function countDescendants(tree: TraceSpan[]): void {
  const open: { span: TraceSpan; at: number }[] = [];
  const close = (depth: number, end: number) => {
    for (let last = open.at(-1); last && last.span.depth >= depth; last = open.at(-1)) {
      last.span.descendants = end - last.at - 1;
      open.pop();
    }
  };
  for (const [at, span] of tree.entries()) {
    close(span.depth, at);
    open.push({ span, at });
  }
  close(0, tree.length);
}

/** A ring of parents has no top: it loses one link. */
function cutRings(nodes: readonly SpanNode[], parents: Map<SpanNode, SpanNode>): void {
  const known = new Set<SpanNode>();
  for (const first of nodes) {
    const way = new Set<SpanNode>();
    let node: SpanNode | undefined = first;
    for (; node && !known.has(node) && !way.has(node); node = parents.get(node)) way.add(node);
    if (node && way.has(node)) parents.delete(node);
    for (const passed of way) known.add(passed);
  }
}

const nodeOf = (id: string, span: SpanRow): SpanNode => ({
  id,
  span,
  missing: false,
  children: [],
  startUs: span.startUs,
  endUs: span.startUs + span.durationUs,
  skewUs: 0,
});

const nobody: Omit<SpanRow, "traceId" | "spanId"> = {
  parentSpanId: "",
  service: "",
  name: "",
  kind: 0,
  startUs: 0,
  durationUs: 0,
  error: false,
  attributes: {},
  resource: {},
  traceState: "",
  statusMessage: "",
  scope: { name: "", version: "" },
  events: [],
  links: [],
};

function toSpan(node: SpanNode, depth: number, traceStartUs: number): TraceSpan {
  const { id, span, missing, startUs, endUs, skewUs } = node;
  const { attributes, resource } = span;
  return {
    id,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    missing,
    depth,
    descendants: 0,
    service: span.service,
    version: versionOf(span),
    proxy: attributes.component === "proxy" || typeof attributes.node_id === "string",
    name: span.name,
    kind: span.kind,
    startUs: startUs - traceStartUs,
    durationUs: endUs - startUs,
    selfUs: missing ? 0 : selfTime(node),
    skewUs,
    critical: [],
    gaps: [],
    error: span.error,
    statusMessage: span.statusMessage,
    attributes,
    resource,
    traceState: span.traceState,
    scope: span.scope,
    events: span.events.map((event) => ({ ...event, atUs: event.atUs + skewUs - traceStartUs })),
    links: [...span.links],
    ...(span.leftOut && { leftOut: span.leftOut }),
  };
}

/** Istio's tag; OpenTelemetry's; else what follows the service in the proxy's workload: `sidecar~10.0.0.1~reviews-v2.default~…`. */
function versionOf({ service, attributes, resource }: SpanRow): string | null {
  const told = attributes["istio.canonical_revision"] ?? resource["service.version"];
  if (typeof told === "string" && told !== "") return told;
  const workload = String(attributes.node_id ?? "").split("~")[2] ?? "";
  const app = service.split(".")[0] ?? "";
  if (app === "" || !workload.startsWith(`${app}-`)) return null;
  return /^v?\d[\w]*/.exec(workload.slice(app.length + 1))?.[0] ?? null;
}

function totalsOf(tree: readonly TraceSpan[]): Trace["totals"] {
  const totals = new Map<string, Trace["totals"][number]>();
  for (const { missing, service, error, selfUs, critical } of tree) {
    if (missing) continue;
    const total = totals.get(service) ?? { service, spans: 0, errors: 0, selfUs: 0, criticalUs: 0 };
    total.spans += 1;
    if (error) total.errors += 1;
    total.selfUs += selfUs;
    for (const [from, to] of critical) total.criticalUs += to - from;
    totals.set(service, total);
  }
  return [...totals.values()].toSorted((a, b) => b.criticalUs - a.criticalUs || a.service.localeCompare(b.service));
}
