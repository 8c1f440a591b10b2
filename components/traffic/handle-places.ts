/**
 * Where the handles stand, in pixels from the left: at their divider, but never over each other or over the edge, so that each can be
 * taken hold of even when the parts between them are empty.
 */
export function handlePlaces(percents: readonly number[], width: number, size: number): number[] {
  const places = percents.map((percent) => (percent * width) / 100);
  let limit = size / 2;
  for (const [i, place] of places.entries()) {
    places[i] = Math.max(place, limit);
    limit = (places[i] ?? 0) + size;
  }
  limit = width - size / 2;
  for (let i = places.length - 1; i >= 0; i--) {
    places[i] = Math.min(places[i] ?? 0, limit);
    limit = (places[i] ?? 0) - size;
  }
  return places;
}
