import type { Graph, GraphEdge, GraphNode } from "../../contract/index.ts";

/** GraphViz' language: `limpid graph -o dot | dot -Tsvg`. https://graphviz.org/doc/info/lang.html */
export function dotOf({ nodes, edges }: Graph): string {
  const lines = [
    "digraph mesh {",
    "  rankdir=LR;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
  ];
  for (const [box, members] of boxesOf(nodes)) {
    const own = members.map((node) => `    ${quoted(node.id)} [label=${quoted(labelOf(node))}${colorOf(node)}];`);
    if (box === null) lines.push(...own.map((line) => line.slice(2)));
    else lines.push(`  subgraph ${quoted(`cluster_${box}`)} {`, `    label=${quoted(box)};`, ...own, "  }");
  }
  for (const edge of edges)
    lines.push(
      `  ${quoted(edge.source)} -> ${quoted(edge.target)} [label=${quoted(edgeLabel(edge))}${colorOf(edge)}, penwidth=${widthOf(edge)}];`,
    );
  return `${[...lines, "}"].join("\n")}\n`;
}

/** Mermaid, as Markdown of many places draws it. https://mermaid.js.org/syntax/flowchart.html */
export function mermaidOf({ nodes, edges }: Graph): string {
  const ids = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const named = (node: GraphNode) => `${ids.get(node.id)}["${escaped(labelOf(node))}"]`;
  const lines = ["flowchart LR"];
  for (const [box, members] of boxesOf(nodes)) {
    if (box === null) lines.push(...members.map((node) => `  ${named(node)}`));
    else
      lines.push(
        `  subgraph ${members.map(({ id }) => ids.get(id)).join("_")}_box["${escaped(box)}"]`,
        ...members.map((node) => `    ${named(node)}`),
        "  end",
      );
  }
  for (const edge of edges)
    lines.push(`  ${ids.get(edge.source)} -->|"${escaped(edgeLabel(edge))}"| ${ids.get(edge.target)}`);
  const troubled = nodes.filter(({ health }) => health === "failing" || health === "degraded");
  lines.push(...troubled.map(({ id, health }) => `  style ${ids.get(id)} stroke:${colors[health]},stroke-width:2px`));
  return `${lines.join("\n")}\n`;
}

const boxesOf = (nodes: readonly GraphNode[]) => Map.groupBy(nodes, ({ box }) => box);

const labelOf = ({ app, version, workload }: GraphNode): string =>
  [app || workload || "unknown", version === "latest" ? null : version].filter(Boolean).join(" ");

/** Of connections bytes are what there is. */
function edgeLabel({ protocol, signals, bytesPerSecond }: GraphEdge): string {
  if (protocol === "tcp" && bytesPerSecond)
    return `tcp ${Math.round(bytesPerSecond.sent + bytesPerSecond.received)} B/s`;
  const { requestRate, errorShare, latencyMsP95 } = signals;
  return [
    `${requestRate.toFixed(requestRate < 10 ? 1 : 0)} rps`,
    errorShare > 0 ? `${(errorShare * 100).toFixed(1)} % errors` : "",
    latencyMsP95 === null ? "" : `p95 ${Math.round(latencyMsP95)} ms`,
  ]
    .filter(Boolean)
    .join(", ");
}

const colors: Record<string, string | undefined> = { failing: "#bb2d1a", degraded: "#8a5a06" };
const colorOf = ({ health }: { health: string }): string => (colors[health] ? `, color="${colors[health]}"` : "");

/** As the page draws them: by the logarithm of the rate. */
const widthOf = ({ signals }: GraphEdge): string => (1 + Math.log10(1 + signals.requestRate)).toFixed(1);

const quoted = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
/** Mermaid knows HTML's entities, and ends a label at a quote. */
const escaped = (text: string): string =>
  text.replaceAll("&", "#amp;").replaceAll('"', "#quot;").replaceAll("<", "#lt;").replaceAll(">", "#gt;");
