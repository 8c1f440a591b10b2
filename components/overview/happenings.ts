import type { PartRestart, ProxyList, PushSummary } from "../../server/contract/index.ts";

/** What befell the mesh by itself, beside what people changed. */
export interface Happening {
  at: number;
  what: "went" | "came" | "refused" | PartRestart["cause"];
  /** Proxies; of the last three, the part that was started again. */
  names: string[];
  /** That was refused; null: it is not known any more which one brought it. */
  revision?: number | null;
  /** The signal or code that ended a part. */
  how?: string | null;
}

/** What is so near to each other on a chart of an hour is one mark. */
const sameMomentMs = 15_000;

const controlPlane = "control-plane";

export interface HappeningsInput {
  proxies: ProxyList["proxies"];
  restarts?: readonly PartRestart[];
  pushes?: readonly PushSummary[];
}

/** Who went away, came back, was started again and refused what, newest first; what befell many at once is told once. */
export function happenings({ proxies, restarts = [], pushes = [] }: HappeningsInput): Happening[] {
  const all = [...comings(proxies), ...refusals(proxies, pushes), ...startedAgain(proxies, restarts)];
  const told: Happening[] = [];
  for (const one of all.toSorted((a, b) => a.at - b.at)) {
    const near = told.findLast((other) => isAlike(one, other) && one.at - other.at < sameMomentMs);
    if (near?.revision === null && one.revision) near.revision = one.revision;
    if (!near) told.push({ ...one, names: [...one.names] });
    else for (const name of one.names) if (!near.names.includes(name)) near.names.push(name);
  }
  return told.reverse();
}

const isAlike = (a: Happening, b: Happening): boolean =>
  a.what === b.what && a.how === b.how && (a.revision === b.revision || a.revision === null || b.revision === null);

const comings = (proxies: HappeningsInput["proxies"]): Happening[] =>
  proxies.flatMap(({ name, absences = [], disconnectedAt }): Happening[] => [
    ...absences
      .filter(({ whose }) => whose === "proxy")
      .flatMap(({ from, to }): Happening[] => [
        { at: from, what: "went", names: [name] },
        { at: to, what: "came", names: [name] },
      ]),
    ...(disconnectedAt === null ? [] : [{ at: disconnectedAt, what: "went" as const, names: [name] }]),
  ]);

/** Of pushes as they are remembered; of a control plane that was started since, what stands refused still. */
function refusals(proxies: HappeningsInput["proxies"], pushes: readonly PushSummary[]): Happening[] {
  const pushed = pushes.flatMap(({ revision, committedAt, trouble }) =>
    trouble
      .filter(({ state }) => state === "nacked")
      .map(({ name, ms }): Happening => ({ at: committedAt + (ms ?? 0), what: "refused", names: [name], revision })),
  );
  const standing = proxies.flatMap(({ name, types }) =>
    Object.values(types).flatMap(({ errors }) =>
      errors.flatMap(({ refusedAtMs }): Happening[] =>
        refusedAtMs === null ? [] : [{ at: refusedAtMs, what: "refused", names: [name], revision: null }],
      ),
    ),
  );
  return [...pushed, ...standing];
}

/** Of proxies it is told that they went and came. Where nobody watches over the control plane, its restart is told by whom it left alone. */
function startedAgain(proxies: HappeningsInput["proxies"], restarts: readonly PartRestart[]): Happening[] {
  const parts = restarts
    .filter(({ node }) => node === null)
    .map(({ at, cause, how, part }): Happening => ({ at, what: cause, names: [part], how }));
  const watched = restarts.filter(({ kind }) => kind === controlPlane);
  const missed = proxies
    .flatMap(({ absences = [] }) => absences)
    .filter(
      ({ whose, from, to }) => whose === controlPlane && !watched.some(({ at }) => at > from - 60_000 && at <= to),
    )
    .map(({ to }): Happening => ({ at: to, what: "planned", names: [controlPlane], how: null }));
  return [...parts, ...missed];
}
