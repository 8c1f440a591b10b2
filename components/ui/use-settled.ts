import { useRef } from "react";

/**
 * The value to show for one that is measured again and again: it stays until it has moved by more than `tolerance` (a share of itself), so
 * that the last digit does not flicker. It always follows to and from zero and null.
 */
export function useSettled(value: number | null, tolerance = 0.01): number | null {
  const shown = useRef(value);
  const last = shown.current;
  const moved =
    value === null || last === null || last === 0 || value === 0 || Math.abs(value - last) > Math.abs(last) * tolerance;
  if (moved) shown.current = value;
  return shown.current;
}
