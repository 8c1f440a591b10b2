import type { Stretch } from "../contract/index.ts";
import type { SpanNode } from "./trace-tree.ts";

/** Microseconds in which none of its children ran. */
export function selfTime({ startUs, endUs, children }: SpanNode): number {
  let covered = 0;
  for (const [from, to] of unionOf(children)) covered += Math.max(0, Math.min(to, endUs) - Math.max(from, startUs));
  return endUs - startUs - covered;
}

/** Stretches between these spans in which none of them ran. */
export function gapsBetween(nodes: readonly SpanNode[]): Stretch[] {
  const parts = unionOf(nodes);
  return parts.flatMap(([, to], index): Stretch[] => {
    const next = parts[index + 1];
    return next ? [[to, next[0]]] : [];
  });
}

function unionOf(nodes: readonly SpanNode[]): Stretch[] {
  const parts: Stretch[] = [];
  for (const { startUs, endUs } of nodes.toSorted((a, b) => a.startUs - b.startUs)) {
    const last = parts.at(-1);
    if (last && startUs <= last[1]) last[1] = Math.max(last[1], endUs);
    else parts.push([startUs, endUs]);
  }
  return parts;
}

/**
 * What the root's end waited for: backwards from it, always the child that ended last before; the time between is the parent's own. Children
 * count as far as they lie within their parent. Adds each span's parts to `found`, earliest first.
 */
export function criticalPath(root: SpanNode, found: Map<string, Stretch[]>): void {
  const open: { node: SpanNode; from: number; to: number }[] = [{ node: root, from: root.startUs, to: root.endUs }];
  for (let item = open.pop(); item; item = open.pop()) {
    const { node, from, to } = item;
    const own: Stretch[] = [];
    let at = to;
    for (const child of node.children.toSorted((a, b) => b.endUs - a.endUs || b.startUs - a.startUs)) {
      const [start, end] = [Math.max(child.startUs, from), Math.min(child.endUs, to)];
      if (end > at || end <= start) continue;
      if (end < at) own.unshift([end, at]);
      open.push({ node: child, from: start, to: end });
      at = start;
    }
    if (at > from) own.unshift([from, at]);
    if (own.length > 0) found.set(node.id, own);
  }
}
