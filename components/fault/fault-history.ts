import type { Change, Fault } from "../../server/contract/index.ts";

/** One fault from its beginning to its end. */
export interface PastFault {
  key: string;
  fault: Fault;
  /** Null: it began before the history does. */
  started: { at: number; by: string } | null;
  ended: { at: number; by: string; how: "fuse" | "person" };
}

/** As the control plane signs the end of a fault whose time was over. */
const fuseAuthor = "limpid (fuse)";

/** The faults that are over, and how they ended, the newest first. `changes` newest first, too. */
export function faultHistory(changes: readonly Change[]): PastFault[] {
  const burning = new Set<Omit<PastFault, "ended">>();
  const past: PastFault[] = [];
  for (const { at, author, revision, faults } of changes.toReversed()) {
    // An end comes before a beginning in one commit: a fault that was edited by hand is another one from then on.
    for (const fault of faults?.ended ?? []) {
      const begun = [...burning].findLast((one) => sameFault(one.fault, fault));
      // What is in the rules of the mesh and of gateways may be ended in one after the other.
      if (!begun && fault.author !== null && past.some((one) => sameFault(one.fault, fault))) continue;
      if (begun) burning.delete(begun);
      const how = author === fuseAuthor ? "fuse" : "person";
      const known = begun ?? { key: `${fault.id} ${revision}`, fault, started: startOf(fault) };
      past.push({ ...known, ended: { at, by: author, how } });
    }
    for (const fault of faults?.started ?? [])
      burning.add({ key: `${fault.id} ${revision}`, fault, started: { at, by: author } });
  }
  return past.reverse();
}

/** One that was injected remembers its beginning by itself, also when the history has forgotten it. */
export const startOf = ({ startedAt, author }: Fault): PastFault["started"] =>
  startedAt !== null && author !== null ? { at: startedAt, by: author } : null;

/** A fault written by hand has no id that lasts: its rule's place moves. One that was injected has one id in all its VirtualServices. */
function sameFault(a: Fault, b: Fault): boolean {
  const given = ({ id }: Fault) => id.slice(id.lastIndexOf("/"));
  if (a.author !== null || b.author !== null) return given(a) === given(b);
  const words = ({ namespace, virtualService, delay, abort, matches }: Fault) =>
    JSON.stringify([namespace, virtualService, delay, abort, matches]);
  return words(a) === words(b);
}
