import cytoscape, { type Core, type EventObject, type NodeSingular } from "cytoscape";
import type { Point } from "./layout.ts";
import type { SceneNode } from "./scene.ts";

export interface SurfaceEvents {
  /** Where the pointer is, in graph coordinates, and the node or box under it. Null: it left. */
  onPoint: (point: Point | null, id: string | null) => void;
  onTap: (point: Point, id: string | null) => void;
  /** The view moved; `byHand` when a person did it. */
  onView: (byHand: boolean) => void;
  /** Nodes are being dragged; `done` with the last call. */
  onDrag: (moved: ReadonlyMap<string, Point>, done: boolean) => void;
}

const styleSheet = [
  { selector: "node", style: { opacity: 0, events: "yes", width: "data(size)", height: "data(size)" } },
  { selector: "node:parent", style: { shape: "rectangle", padding: "24px" } },
  { selector: "core", style: { "active-bg-opacity": 0, "selection-box-opacity": 0 } },
];

/**
 * What takes the pointer: Cytoscape holds the viewport and the rings, and knows what is dragged and what is under the pointer. It draws
 * nothing and is told of no calls: finding them along their curves is our own.
 */
export function createSurface(container: HTMLElement, events: SurfaceEvents): Core {
  const cy = cytoscape({
    container,
    style: styleSheet as unknown as cytoscape.StylesheetJson,
    minZoom: 0.03,
    maxZoom: 2.5,
    boxSelectionEnabled: false,
    autounselectify: true,
    selectionType: "single",
  });
  const idOf = (event: EventObject): string | null => (event.target === cy ? null : event.target.id());
  cy.on("tap", (event) => events.onTap(event.position, idOf(event)));
  cy.on("mousemove", (event) => events.onPoint(event.position, idOf(event)));
  container.addEventListener("pointerleave", () => events.onPoint(null, null));
  cy.on("pan zoom", () => events.onView(false));
  cy.on("scrollzoom dragpan pinchzoom", () => events.onView(true));
  cy.on("drag", "node", ({ target }) => events.onDrag(placesOf(target), false));
  cy.on("dragfree", "node", ({ target }) => events.onDrag(placesOf(target), true));
  return cy;
}

/** A box is dragged by its nodes. */
function placesOf(target: NodeSingular): ReadonlyMap<string, Point> {
  const nodes = target.isParent() ? target.children() : target;
  return new Map(nodes.map((node) => [node.id(), { ...(node as NodeSingular).position() }]));
}

/** Brings cytoscape's rings to the scene's, touching only what differs. */
export function syncSurface(cy: Core, nodes: readonly SceneNode[]): void {
  const wanted = new Set(nodes.flatMap(({ id, node }) => (node.box === null ? [id] : [id, node.box])));
  cy.batch(() => {
    cy.elements()
      .filter((element) => !wanted.has(element.id()))
      .remove();
    const added = new Map<string, cytoscape.ElementDefinition>();
    for (const { id, x, y, r, node } of nodes) {
      const size = Math.round(2 * r + 12);
      const known = cy.getElementById(id);
      if (known.nonempty()) {
        if (known.data("size") !== size) known.data("size", size);
        const place = known.position();
        if (!known.grabbed() && (place.x !== x || place.y !== y)) known.position({ x, y });
        continue;
      }
      if (node.box !== null && cy.getElementById(node.box).empty() && !added.has(node.box))
        added.set(node.box, { group: "nodes", data: { id: node.box, size: 1 } });
      const parent = node.box === null ? {} : { parent: node.box };
      added.set(id, { group: "nodes", data: { id, size, ...parent }, position: { x, y } });
    }
    cy.add([...added.values()]);
  });
}
