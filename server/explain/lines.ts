import type { ExplainedSide, Explanation, Origin } from "../contract/index.ts";

type Sides = Pick<Explanation, "source" | "destinations">;

/** Every place of the config that an explanation names. */
export function originsIn({ source, destinations }: Sides): Origin[] {
  const sides = [source, ...destinations.map(({ side }) => side)];
  const policies = destinations.map(({ peerAuthentication }) => peerAuthentication);
  return [...sides.flatMap(placesOf), ...policies].flatMap(({ origin }) => origin ?? []);
}

const placesOf = ({ chains, routes, clusters, filters }: ExplainedSide): { origin: Origin | null }[] => [
  ...chains,
  ...routes,
  ...clusters,
  ...filters.flatMap(({ rbac }) => rbac?.policies ?? []),
];

/** The same, each with its line. */
export function withLines(sides: Sides, lineOf: (origin: Origin) => number | null): Sides {
  const copy = structuredClone(sides);
  for (const origin of originsIn(copy)) origin.line = lineOf(origin);
  return copy;
}
