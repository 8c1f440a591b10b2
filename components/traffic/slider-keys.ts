/** Where a slider goes for a key; null when the key is none of its own. https://www.w3.org/WAI/ARIA/apg/patterns/slider/#keyboardinteraction */
export function keyTarget(
  { key, shiftKey }: { key: string; shiftKey: boolean },
  at: number,
  min: number,
  max: number,
): number | null {
  const step = shiftKey ? 10 : 1;
  const steps: Record<string, number> = {
    ArrowRight: at + step,
    ArrowUp: at + step,
    ArrowLeft: at - step,
    ArrowDown: at - step,
    PageUp: at + 10,
    PageDown: at - 10,
    Home: min,
    End: max,
  };
  return steps[key] ?? null;
}
