import { AffixTable, beginning, ending } from "./affix-table.ts";
import { addBit, addBits, type Bits, keepBits, noBits } from "./bits.ts";
import type { Fact, Needs, RequestSubject } from "./needs.ts";

/** More are not read of a request: those that most policies need say most. */
const mostFacts = 8;

/** Which policies can hold for a request, by what they need of it. */
export class FactIndex {
  private readonly tables: readonly FactTable[];

  /** @param policies in their order */
  constructor(policies: readonly Needs[]) {
    const users = new Map<string, { fact: Fact; count: number }>();
    for (const needs of policies) {
      for (const [id, { fact }] of needs) users.set(id, { fact, count: (users.get(id)?.count ?? 0) + 1 });
    }
    this.tables = [...users.values()]
      .filter(({ count }) => count > 1)
      .sort((a, b) => b.count - a.count)
      .slice(0, mostFacts)
      .map(({ fact }) => new FactTable(fact, policies));
  }

  /** Leaves those that can hold. */
  narrow(bits: Bits, asked: RequestSubject): void {
    for (const table of this.tables) keepBits(bits, table.candidates(asked));
  }
}

class FactTable {
  private readonly fact: Fact;
  private readonly exact = new Map<string, Bits>();
  private readonly prefixes: AffixTable;
  private readonly suffixes: AffixTable;
  /** Policies that don't go by it. */
  private readonly rest: Bits;
  private readonly found: Bits;

  constructor(fact: Fact, policies: readonly Needs[]) {
    this.fact = fact;
    this.rest = noBits(policies.length);
    this.found = noBits(policies.length);
    const prefixes = new Map<string, Bits>();
    const suffixes = new Map<string, Bits>();
    const add = (to: Map<string, Bits>, key: string, place: number) => {
      const bits = to.get(key) ?? noBits(policies.length);
      to.set(key, bits);
      addBit(bits, place);
    };
    for (const [place, needs] of policies.entries()) {
      const need = needs.get(fact.id);
      if (need === undefined) addBit(this.rest, place);
      for (const value of need?.exact ?? []) add(this.exact, value, place);
      for (const value of need?.prefixes ?? []) add(prefixes, value, place);
      for (const value of need?.suffixes ?? []) add(suffixes, value, place);
    }
    this.prefixes = new AffixTable(beginning, prefixes);
    this.suffixes = new AffixTable(ending, suffixes);
  }

  /** Valid until the next call. */
  candidates(asked: RequestSubject): Bits {
    const value = this.fact.read(asked);
    if (value === undefined) return this.rest;
    this.found.set(this.rest);
    if (typeof value === "string") this.add(value);
    else for (const each of value) this.add(each);
    return this.found;
  }

  private add(value: string): void {
    for (const bits of [this.exact.get(value), this.prefixes.find(value), this.suffixes.find(value)]) {
      if (bits !== undefined) addBits(this.found, bits);
    }
  }
}
