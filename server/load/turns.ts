/**
 * Whose turn it is, by weights: shares are exact after each round, and nobody's requests come in a row that could be spread.
 * As nginx balances (smooth weighted round robin).
 */
export function takeTurns(weights: readonly number[]): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const credit = weights.map(() => 0);
  return () => {
    let chosen = 0;
    for (const [index, weight] of weights.entries()) {
      credit[index] = (credit[index] ?? 0) + weight;
      if ((credit[index] ?? 0) > (credit[chosen] ?? 0)) chosen = index;
    }
    credit[chosen] = (credit[chosen] ?? 0) - total;
    return chosen;
  };
}
