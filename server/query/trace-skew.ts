import { clockGrainUs } from "../contract/index.ts";
import type { SpanNode } from "./trace-tree.ts";

/**
 * Clocks run apart. A span of another host that lies outside its parent is moved into it, and all that its host sent below it by as much, as
 * Jaeger does: half of the time that the parent took longer goes before it. One that took longer than its parent, or that is told well enough,
 * is only kept from beginning before it. https://www.jaegertracing.io/docs/latest/frontend-ui/
 */
export function correctSkew(root: SpanNode): void {
  const open: SpanNode[] = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    for (const child of node.children) {
      const skew = node.missing || hostOf(child) === hostOf(node) ? node.skewUs : skewOf(child, node);
      child.startUs += skew;
      child.endUs += skew;
      child.skewUs = skew;
      open.push(child);
    }
  }
  coverChildren(root);
}

function skewOf(child: SpanNode, parent: SpanNode): number {
  const [took, has] = [child.endUs - child.startUs, parent.endUs - parent.startUs];
  const early = Math.max(0, parent.startUs - child.startUs);
  if (took > has || isToldWell(child, parent)) return early;
  return parent.startUs + Math.floor((has - took) / 2) - child.startUs;
}

/**
 * A busy process tells its end late, and a callee is done after its caller gave up waiting: an end alone that hangs over is no proof of another
 * clock, as long as most of the span lies within its parent.
 */
const isToldWell = (child: SpanNode, parent: SpanNode): boolean =>
  parent.startUs - child.startUs <= clockGrainUs &&
  child.endUs - parent.endUs <= Math.max(clockGrainUs, (child.endUs - child.startUs) / 2);

/** Whose clock it was: the proxy's, or that of what its resource names. */
function hostOf({ span: { attributes, resource, service } }: SpanNode): string {
  if (typeof attributes.node_id === "string") return attributes.node_id;
  const host = resource["host.name"] ?? resource["k8s.pod.name"] ?? resource["service.instance.id"];
  return `${service} ${host ?? ""}`;
}

/** One that nobody sent lasts from its first child to the end of its last. */
function coverChildren(root: SpanNode): void {
  if (!root.missing) return;
  root.startUs = Math.min(...root.children.map(({ startUs }) => startUs));
  root.endUs = Math.max(...root.children.map(({ endUs }) => endUs));
}
