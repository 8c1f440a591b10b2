"use client";
import { type PointerEvent, type RefObject, useRef, useState } from "react";

export interface Grip {
  onPointerDown: (event: PointerEvent<HTMLElement>) => void;
  onPointerMove: (event: PointerEvent<HTMLElement>) => void;
  onPointerUp: () => void;
  onPointerCancel: () => void;
}

export interface DragOrder {
  /** The item at whose edge what is dragged would come to stand; null: nothing is dragged, or it would stay. */
  drop: number | null;
  side: "before" | "after";
  gripOf: (index: number) => Grip;
}

/** Items of a list that are put in order by dragging a grip, with mouse, finger or pen; released elsewhere than over the list they stay. */
export function useDragOrder(
  list: RefObject<HTMLElement | null>,
  onMove: (from: number, to: number) => void,
): DragOrder {
  const dragged = useRef<number | null>(null);
  const [to, setTo] = useState<number | null>(null);
  const end = () => {
    dragged.current = null;
    setTo(null);
  };
  const gripOf = (index: number): Grip => ({
    onPointerDown: (event) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      dragged.current = index;
    },
    onPointerMove: (event) => {
      if (dragged.current === index && list.current) setTo(placeAt(list.current, event.clientY, index));
    },
    onPointerUp: () => {
      if (dragged.current === index && to !== null && to !== index) onMove(index, to);
      end();
    },
    onPointerCancel: end,
  });
  const from = dragged.current;
  return {
    drop: to === null || from === null || to === from ? null : to,
    side: from !== null && to !== null && to > from ? "after" : "before",
    gripOf,
  };
}

/** The place among the list's items that a height is at. */
function placeAt(list: HTMLElement, y: number, from: number): number {
  const middles = [...list.children].map((item) => {
    const { top, height } = item.getBoundingClientRect();
    return top + height / 2;
  });
  const others = middles.filter((_, index) => index !== from);
  return others.filter((middle) => middle < y).length;
}
