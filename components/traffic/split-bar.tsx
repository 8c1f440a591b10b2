"use client";
import { useElementSize } from "@mantine/hooks";
import { type CSSProperties, type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { versionColor } from "../ui/version-color.ts";
import { handlePlaces } from "./handle-places.ts";
import type { WeightPart } from "./rule-parts.ts";
import { keyTarget } from "./slider-keys.ts";
import { dividerAt, dividerBounds, moveDivider } from "./split.ts";
import styles from "./split-bar.module.css";

export interface SplitBarProps {
  parts: readonly WeightPart[];
  onChange: (parts: WeightPart[]) => void;
  label: string;
  /** For whoever may look and not move. */
  readOnly?: boolean;
}

const handleSize = 18;

/** One bar, split by dividers: the sum is 100 by construction. Dragged, or moved with the keys of a slider. */
export function WeightSplitBar({ parts, onChange, label, readOnly = false }: SplitBarProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [dragged, setDragged] = useState<number | null>(null);
  const dividers = parts.slice(1).map((_, i) => dividerAt(parts, i));
  const places = handlePlaces(dividers, width || 600, handleSize);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a form's look
    <div
      ref={ref}
      className={styles.bar}
      role="group"
      aria-label={label}
      data-dragged={dragged !== null || undefined}
      data-testid="split-bar"
    >
      {parts.map((part, i) => (
        <PartBlock
          key={part.subset}
          part={part}
          left={i === 0 ? 0 : (dividers[i - 1] ?? 0)}
          // Handles of empty parts stand inside their neighbour; its words begin after them.
          inset={i === 0 ? 0 : (places[i - 1] ?? 0) - ((dividers[i - 1] ?? 0) / 100) * (width || 600)}
        />
      ))}
      {!readOnly &&
        dividers.map((at, i) => (
          <Divider
            key={parts[i]?.subset}
            parts={parts}
            index={i}
            place={width ? `${places[i]}px` : `${at}%`}
            onChange={onChange}
            onDrag={setDragged}
          />
        ))}
    </div>
  );
}

function PartBlock({ part, left, inset }: { part: WeightPart; left: number; inset: number }) {
  const color = versionColor(part.colouredAs ?? part.version);
  const style = { left: `${left}%`, width: `${part.weight}%`, "--c": color } as CSSProperties;
  return (
    <div className={styles.part} style={style} aria-hidden data-version={part.version}>
      <span className={styles.words} style={{ marginLeft: Math.max(0, inset) }}>
        <b>
          {part.weight}
          <small> %</small>
        </b>
        <span>{part.version}</span>
      </span>
    </div>
  );
}

interface DividerProps {
  parts: readonly WeightPart[];
  index: number;
  place: string;
  onChange: (parts: WeightPart[]) => void;
  onDrag: (index: number | null) => void;
}

function Divider({ parts, index, place, onChange, onDrag }: DividerProps) {
  const t = useTranslations("traffic");
  const grab = useRef<{ from: readonly WeightPart[]; offset: number } | null>(null);
  const [left, right] = [parts[index], parts[index + 1]];
  const at = dividerAt(parts, index);
  const { min, max } = dividerBounds(parts, index);
  const percentAt = ({ clientX, currentTarget }: PointerEvent<HTMLDivElement>) => {
    const box = currentTarget.parentElement?.getBoundingClientRect();
    return box && box.width > 0 ? ((clientX - box.left) / box.width) * 100 : at;
  };
  const start = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.focus();
    // Where in the handle it was taken: it must not jump under the pointer.
    grab.current = { from: parts, offset: percentAt(event) - at };
    onDrag(index);
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    // From where it was taken, not from the last step: what was pushed aside comes back with the divider.
    const held = grab.current;
    if (held) onChange(moveDivider(held.from, index, percentAt(event) - held.offset));
  };
  const release = () => {
    grab.current = null;
    onDrag(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && grab.current) {
      onChange([...grab.current.from]);
      release();
      return;
    }
    const to = keyTarget(event, at, min, max);
    if (to === null) return;
    event.preventDefault();
    onChange(moveDivider(parts, index, to));
  };
  if (!left || !right) return null;
  return (
    <div
      role="slider"
      tabIndex={0}
      className={styles.handle}
      style={{ left: place }}
      aria-label={t("divider", { left: left.version, right: right.version })}
      title={t("divider-moves", { left: left.version, right: right.version })}
      aria-orientation="horizontal"
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={at}
      aria-valuetext={`${left.version} ${left.weight} %, ${right.version} ${right.weight} %`}
      aria-disabled={min === max || undefined}
      data-testid={`split-divider-${index}`}
      onPointerDown={start}
      onPointerMove={move}
      onPointerUp={release}
      onPointerCancel={release}
      onLostPointerCapture={release}
      onKeyDown={onKeyDown}
    />
  );
}
