"use client";
import { useComputedColorScheme } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import { type RefObject, useEffect, useImperativeHandle, useRef, useState } from "react";
import type { Graph } from "../../server/contract/index.ts";
import { GraphView, type Pointed } from "./graph-view.ts";
import type { ViewKind } from "./graph-view-kinds.ts";
import type { Direction, Point } from "./layout.ts";
import { isSmall, layoutElsewhere } from "./layout-elsewhere.ts";
import styles from "./mesh-canvas.module.css";
import type { Emphasis } from "./paint.ts";
import { readPalette } from "./palette.ts";
import { keepPlaces, rememberPlaces, withRemembered } from "./places.ts";
import { isPlaced, keepPositions, noPositions, type Positions } from "./positions.ts";
import { layoutNodesOf, type SceneText } from "./scene.ts";

export interface MeshCanvasHandle {
  fit: () => void;
  zoomBy: (factor: number) => void;
  /** What is seen, with a line of words below. */
  exportPng: (caption: string) => Promise<Blob | null>;
  /** The whole graph as an SVG's text. */
  exportSvg: (caption: string) => string | null;
  /** Lays everything out anew and forgets what was dragged. */
  tidy: () => void;
  hover: (id: string | null) => void;
}

export interface MeshCanvasProps {
  /** What its nodes stand for: each view has places of its own. */
  kind: ViewKind;
  graph: Pick<Graph, "nodes" | "edges">;
  text: SceneText;
  emphasis: Omit<Emphasis, "hovered">;
  animate: boolean;
  onSelect: (id: string | null) => void;
  onPoint: (pointed: Pointed | null) => void;
  /** It has been seen for the first time. */
  onPainted: () => void;
  handle: RefObject<MeshCanvasHandle | null>;
  toolbar: RefObject<HTMLElement | null>;
}

/** The graph as a picture. What it says is also in the accessible list beside it, and in the list view. */
export function MeshCanvas({
  kind,
  graph,
  text,
  emphasis,
  animate,
  onSelect,
  onPoint,
  onPainted,
  handle,
  toolbar,
}: MeshCanvasProps) {
  const surface = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const particles = useRef<HTMLCanvasElement>(null);
  const [view, setView] = useState<GraphView | null>(null);
  const positions = useRef<Positions>(noPositions());
  const placed = useRef(kind);
  const latest = useRef({ kind, graph, text, onSelect, onPoint, onPainted });
  latest.current = { kind, graph, text, onSelect, onPoint, onPainted };
  const scheme = useComputedColorScheme("dark");
  const still = useReducedMotion();

  useEffect(() => {
    if (!surface.current || !base.current || !particles.current) return;
    const created = new GraphView({
      surface: surface.current,
      base: base.current,
      particles: particles.current,
      toolbar: toolbar.current,
      onSelect: (id) => latest.current.onSelect(id),
      onPoint: (pointed) => latest.current.onPoint(pointed),
      onPainted: () => latest.current.onPainted(),
      onMove: (moved) => {
        positions.current = { ...positions.current, points: new Map([...positions.current.points, ...moved]) };
        rememberPlaces(localStorage, { kind: latest.current.kind, direction: positions.current.direction }, moved);
      },
    });
    setView(created);
    return () => {
      created.destroy();
      setView(null);
    };
  }, [toolbar]);

  useEffect(() => {
    if (!view) return;
    // Another view is laid out anew: what the two have in common would hold the rest in a place that is not its own.
    if (positions.current.points.size === 0 || placed.current !== kind)
      positions.current = noPositions(directionFor(surface.current));
    const anew = placed.current !== kind;
    placed.current = kind;
    const nodes = layoutNodesOf(graph.nodes);
    const show = (fresh?: ReadonlyMap<string, Point>) => {
      const next = keepPositions(nodes, graph.edges, positions.current, fresh);
      if (next !== positions.current) positions.current = withRemembered(localStorage, kind, next);
      view.setGraph(graph, positions.current.points, text, positions.current.direction);
      if (anew) view.fit();
    };
    if (isSmall(nodes) || isPlaced(nodes, graph.edges, positions.current)) return show();
    let gone = false;
    void layoutElsewhere(nodes, graph.edges, positions.current.direction).then((fresh) => !gone && show(fresh));
    return () => {
      gone = true;
    };
  }, [view, kind, graph, text]);
  useEffect(() => view?.setEmphasis(emphasis), [view, emphasis]);
  useEffect(() => view?.setAnimate(animate && !still), [view, animate, still]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with the colour scheme the tokens change
  useEffect(() => {
    // Fonts that arrive after the first paint change the canvas's text too.
    const repaint = () => view && surface.current && view.setPalette(readPalette(surface.current));
    repaint();
    void document.fonts.ready.then(repaint);
  }, [view, scheme]);

  useImperativeHandle(handle, () => ({
    fit: () => view?.fit(),
    zoomBy: (factor) => view?.zoomBy(factor),
    exportPng: (caption) => view?.exportPng(caption) ?? Promise.resolve(null),
    exportSvg: (caption) => view?.exportSvg(caption) ?? null,
    hover: (id) => view?.hover(id),
    tidy: () => {
      const { kind, graph, text } = latest.current;
      const direction = directionFor(surface.current);
      keepPlaces(localStorage, { kind, direction }, {});
      positions.current = keepPositions(layoutNodesOf(graph.nodes), graph.edges, noPositions(direction));
      view?.setGraph(graph, positions.current.points, text, direction);
      view?.fit();
    },
  }));

  return (
    <div className={styles.canvas} aria-hidden data-testid="mesh-canvas">
      <canvas ref={base} />
      <canvas ref={particles} />
      <div ref={surface} className={styles.surface} />
    </div>
  );
}

/** Downwards in a place that is higher than wide. */
const directionFor = (surface: HTMLElement | null): Direction =>
  surface && surface.clientWidth < surface.clientHeight * 0.8 ? "down" : "right";
