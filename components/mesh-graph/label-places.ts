import { isNear } from "./curve.ts";
import { type View, visibleRect } from "./paint.ts";
import { type LabelMemory, type Labels, placeLabels } from "./place-labels.ts";
import { contains, grown, holds, type Rect } from "./rect.ts";
import type { Scene } from "./scene.ts";

/** Of a graph this small everything is placed at once; of a larger one only what is in sight. */
const small = 240;

/** Where labels stand for a scene and a zoom, worked out anew only when either changes or other parts come into sight. */
export class LabelPlaces {
  private readonly memory: LabelMemory = new Map();
  private known: {
    scene: Scene;
    zoom: number;
    region: Rect | null;
    labels: Labels;
    covers: ReadonlyMap<string, Rect>;
  } | null = null;

  of(scene: Scene, view: View): Labels {
    return this.place(scene, view).labels;
  }

  /** The places where a number interrupts its own call. */
  covers(scene: Scene, view: View): ReadonlyMap<string, Rect> {
    return this.place(scene, view).covers;
  }

  private place(scene: Scene, view: View) {
    const seen = visibleRect(view, 0);
    const { known } = this;
    if (known && known.scene === scene && known.zoom === view.zoom && (!known.region || contains(known.region, seen)))
      return known;
    const region = scene.edges.length > small ? grown(seen, 0.25 * Math.max(seen.width, seen.height)) : null;
    const nodes = scene.nodes.filter((node) => !region || holds(region, node));
    const here = new Set(nodes.map(({ id }) => id));
    // What only passes through a crowd has its numbers where it starts and ends.
    const edges = scene.edges.filter(
      ({ curve, edge }) => !region || ((here.has(edge.source) || here.has(edge.target)) && isNear(curve, region)),
    );
    const labels = placeLabels({ nodes, edges, boxes: scene.boxes, bounds: scene.bounds }, view.zoom, this.memory);
    const covers = new Map(labels.numbers.filter(({ on }) => on).map(({ id, rect }) => [id, rect]));
    this.known = { scene, zoom: view.zoom, region, labels, covers };
    return this.known;
  }
}
