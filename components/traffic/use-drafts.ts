"use client";
import { useCallback, useState } from "react";
import type { Routing } from "../../server/contract/index.ts";
import { shownRules, splitOf, type WeightPart } from "./rule-parts.ts";

/** What somebody is about to change of one rule. */
export interface Draft {
  rule: number;
  parts: WeightPart[];
  /** The VirtualService's version that it was made against; null: there was none. */
  base: string | null;
}

export interface Drafts {
  /** The draft that was touched last and differs from what is in force. */
  active: Draft | null;
  /** A rule's parts as they would be. */
  partsOf: (rule: number) => readonly WeightPart[] | null;
  change: (rule: number, parts: WeightPart[]) => void;
  toggleLock: (rule: number, subset: string) => void;
  /** Back to what is in force. */
  discard: (rule: number) => void;
  /** Made against what is in force now. */
  rebase: (rule: number) => void;
}

interface Kept {
  drafts: readonly Draft[];
  /** `<rule>/<subset>` */
  locks: ReadonlySet<string>;
}

/** Drafts by rule, the last touched last. They live beside the routing, which goes on being read. */
export function useDrafts(routing: Routing | undefined): Drafts {
  const [{ drafts, locks }, keep] = useState<Kept>({ drafts: [], locks: new Set() });
  const base = routing?.virtualService?.resourceVersion ?? null;
  const inForce = (rule: number) => {
    const found = routing && shownRules(routing).find(({ index }) => index === rule);
    return found && routing ? splitOf(found, routing) : null;
  };
  const differs = ({ rule, parts }: Pick<Draft, "rule" | "parts">) => {
    const current = inForce(rule);
    return current !== null && (current.kind === "alike" || !sameWeights(current.parts, parts));
  };
  const change = (rule: number, parts: WeightPart[]) => {
    const changes = differs({ rule, parts });
    keep((kept) => {
      const known = kept.drafts.find((draft) => draft.rule === rule);
      const others = kept.drafts.filter((other) => other.rule !== rule);
      return { ...kept, drafts: changes ? [...others, { rule, parts, base: known ? known.base : base }] : others };
    });
  };
  const discard = useCallback(
    (rule: number) => keep((kept) => ({ ...kept, drafts: kept.drafts.filter((draft) => draft.rule !== rule) })),
    [],
  );
  const rebase = useCallback(
    (rule: number) =>
      keep((kept) => ({
        ...kept,
        drafts: kept.drafts.map((draft) => (draft.rule === rule ? { ...draft, base } : draft)),
      })),
    [base],
  );
  const toggleLock = useCallback(
    (rule: number, subset: string) => keep((kept) => ({ ...kept, locks: toggled(kept.locks, `${rule}/${subset}`) })),
    [],
  );
  const partsOf = (rule: number) => {
    const parts = drafts.find((draft) => draft.rule === rule)?.parts ?? inForce(rule)?.parts;
    return parts?.map((part) => ({ ...part, locked: locks.has(`${rule}/${part.subset}`) })) ?? null;
  };
  return { active: drafts.findLast(differs) ?? null, partsOf, change, toggleLock, discard, rebase };
}

const sameWeights = (a: readonly WeightPart[], b: readonly WeightPart[]): boolean =>
  a.length === b.length && a.every((part, i) => part.subset === b[i]?.subset && part.weight === b[i]?.weight);

function toggled(set: ReadonlySet<string>, value: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(value)) next.add(value);
  return next;
}
