/**
 * How a rule shares its traffic: whole percents that always sum to 100. Every operation keeps that, never goes below 0, and never moves a
 * locked part.
 */
export interface SplitPart {
  weight: number;
  locked: boolean;
}

/** Where the divider after part `divider` stands: the sum of all that is left of it. */
export const dividerAt = (parts: readonly SplitPart[], divider: number): number =>
  sum(parts.slice(0, divider + 1).map(({ weight }) => weight));

/** How far that divider can go: locked parts keep what they have. Equal bounds: it can't move. */
export function dividerBounds(parts: readonly SplitPart[], divider: number): { min: number; max: number } {
  const [left, right] = [parts.slice(0, divider + 1), parts.slice(divider + 1)];
  const at = dividerAt(parts, divider);
  const canTrade = left.some(isFree) && right.some(isFree);
  return canTrade ? { min: heldBy(left), max: 100 - heldBy(right) } : { min: at, max: at };
}

/**
 * Puts a divider at a percent. What one side loses the other side's nearest free part gains; a part that is used up lets the divider push
 * the next one.
 */
export function moveDivider<Part extends SplitPart>(parts: readonly Part[], divider: number, to: number): Part[] {
  const { min, max } = dividerBounds(parts, divider);
  const delta = Math.min(max, Math.max(min, Math.round(to))) - dividerAt(parts, divider);
  if (delta === 0) return [...parts];
  const leftwards = [...parts.keys()].slice(0, divider + 1).reverse();
  const rightwards = [...parts.keys()].slice(divider + 1);
  const [gaining, losing] = delta > 0 ? [leftwards, rightwards] : [rightwards, leftwards];
  const weights = parts.map(({ weight }) => weight);
  let missing = Math.abs(delta);
  for (const index of losing) {
    if (parts[index]?.locked) continue;
    const taken = Math.min(missing, weights[index] ?? 0);
    weights[index] = (weights[index] ?? 0) - taken;
    missing -= taken;
  }
  const gainer = gaining.find((index) => !parts[index]?.locked);
  if (gainer !== undefined) weights[gainer] = (weights[gainer] ?? 0) + Math.abs(delta);
  return withWeights(parts, weights);
}

/** Gives a part a weight; the other free parts share the rest as they did before, or evenly when they had nothing. */
export function setPart<Part extends SplitPart>(parts: readonly Part[], index: number, weight: number): Part[] {
  const part = parts[index];
  const others = parts.filter((other, i) => i !== index && isFree(other));
  if (!part || part.locked || others.length === 0 || !Number.isFinite(weight)) return [...parts];
  const available = 100 - heldBy(parts);
  const mine = Math.min(available, Math.max(0, Math.round(weight)));
  const shares = apportion(
    available - mine,
    others.map((other) => other.weight),
  );
  let next = 0;
  return withWeights(
    parts,
    parts.map((other, i) => (i === index ? mine : isFree(other) ? (shares[next++] ?? 0) : other.weight)),
  );
}

/** Free parts share alike. */
export function evenOut<Part extends SplitPart>(parts: readonly Part[]): Part[] {
  const free = parts.filter(isFree);
  const shares = apportion(
    100 - heldBy(parts),
    free.map(() => 1),
  );
  let next = 0;
  return withWeights(
    parts,
    parts.map((part) => (isFree(part) ? (shares[next++] ?? 0) : part.weight)),
  );
}

/** Everything that is not locked goes to one part. */
export const allTo = <Part extends SplitPart>(parts: readonly Part[], index: number): Part[] =>
  setPart(parts, index, 100);

/** `total` in whole numbers in proportion to `by` (evenly when that is all zero); the largest remainders are rounded up. */
export function apportion(total: number, by: readonly number[]): number[] {
  const whole = sum(by);
  const exact = by.map((value) => (whole > 0 ? (total * value) / whole : total / by.length));
  const shares = exact.map(Math.floor);
  const order = exact
    .map((value, index) => ({ index, rest: value - Math.floor(value) }))
    .toSorted((a, b) => b.rest - a.rest || a.index - b.index);
  let missing = total - sum(shares);
  for (const { index } of order) {
    if (missing-- <= 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
  }
  return shares;
}

const isFree = (part: SplitPart): boolean => !part.locked;
const heldBy = (parts: readonly SplitPart[]): number => sum(parts.filter((part) => part.locked).map((p) => p.weight));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const withWeights = <Part extends SplitPart>(parts: readonly Part[], weights: readonly number[]): Part[] =>
  parts.map((part, i) => ({ ...part, weight: weights[i] ?? 0 }));
