import { addBit, type Bits, hasBit, nextBit, noBits } from "./bits.ts";
import { FactIndex } from "./fact-index.ts";
import type { CompiledPolicy } from "./policy.ts";
import { all } from "./rule.ts";
import type { RbacConnection, RbacSubject } from "./subject.ts";

export interface NamedPolicy extends CompiledPolicy {
  readonly name: string;
}

/** What a connection's ends and its client's certificate say of policies, for all requests that come by it. */
interface OfConnection {
  /** Policies that may hold. */
  readonly possible: Bits;
  /** Those of whose principals the client is one, whatever it asks for. */
  readonly meant: Bits;
}

/** With fewer policies it takes less to ask each. */
const fewPolicies = 4;

/** Finds the first policy that holds without asking all: those that can't, by the connection or by what they need of a request, are left out. */
export class PolicyTable {
  private readonly policies: readonly NamedPolicy[];
  private readonly index: FactIndex;
  private readonly known = new WeakMap<RbacConnection, OfConnection>();
  private readonly candidates: Bits;

  /** @param policies in the order in which they decide */
  constructor(policies: readonly NamedPolicy[]) {
    this.policies = policies;
    this.index = new FactIndex(policies.map(({ permitted, meant }) => all([permitted, meant]).needs));
    this.candidates = noBits(policies.length);
  }

  first(subject: RbacSubject): NamedPolicy | undefined {
    const { policies, candidates } = this;
    const { request, connection } = subject;
    if (request === undefined || policies.length < fewPolicies) return policies.find((each) => holds(each, subject));
    const { possible, meant } = this.ofConnection(connection);
    candidates.set(possible);
    this.index.narrow(candidates, { request, subject });
    for (let place = nextBit(candidates, 0); place >= 0; place = nextBit(candidates, place + 1)) {
      const policy = policies[place];
      if (policy?.permitted.test(subject) && (hasBit(meant, place) || policy.meant.test(subject))) return policy;
    }
    return undefined;
  }

  private ofConnection(connection: RbacConnection): OfConnection {
    const known = this.known.get(connection);
    if (known !== undefined) return known;
    const made = { possible: noBits(this.policies.length), meant: noBits(this.policies.length) };
    for (const [place, policy] of this.policies.entries()) {
      const meant = policy.meant.ofConnection(connection);
      if (meant === true) addBit(made.meant, place);
      if (meant !== false && policy.permitted.ofConnection(connection) !== false) addBit(made.possible, place);
    }
    this.known.set(connection, made);
    return made;
  }
}

const holds = ({ permitted, meant }: NamedPolicy, subject: RbacSubject): boolean =>
  permitted.test(subject) && meant.test(subject);
