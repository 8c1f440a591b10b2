import type { RequestView } from "../match/request-view.ts";
import { eitherNeeds, type Need, type Needs, noNeeds } from "./needs.ts";
import type { RbacConnection, RbacSubject } from "./subject.ts";

/** A permission or a principal, with what can be said of it before a request is looked at. */
export interface Rule {
  test(subject: RbacSubject): boolean;
  /** Whether it holds for all requests of a connection (true) or for none (false); undefined: that depends on the request. */
  ofConnection(connection: RbacConnection): boolean | undefined;
  /** What a request must have, or the rule doesn't hold for it. */
  readonly needs: Needs;
}

const depends = (): undefined => undefined;

export const anything: Rule = { test: () => true, ofConnection: () => true, needs: noNeeds };

/** Goes by the connection alone. */
export const ofConnection = (test: (connection: RbacConnection) => boolean): Rule => ({
  test: ({ connection }) => test(connection),
  ofConnection: test,
  needs: noNeeds,
});

export const ofSubject = (test: (subject: RbacSubject) => boolean, need?: Need): Rule => ({
  test,
  ofConnection: depends,
  needs: need === undefined ? noNeeds : new Map([[need.fact.id, need]]),
});

/** Goes by the request: a connection has none. */
export const ofRequest = (test: (view: RequestView) => boolean, need?: Need): Rule =>
  ofSubject(({ request }) => request !== undefined && test(request), need);

/** One rule is itself: policies are lists of lists, most of them of one. */
export function all(rules: readonly Rule[]): Rule {
  const [only] = rules;
  if (only !== undefined && rules.length === 1) return only;
  return {
    test(subject) {
      for (const rule of rules) if (!rule.test(subject)) return false;
      return true;
    },
    ofConnection(connection) {
      let known: true | undefined = true;
      for (const rule of rules) {
        const holds = rule.ofConnection(connection);
        if (holds === false) return false;
        known &&= holds;
      }
      return known;
    },
    needs: new Map(rules.flatMap((rule) => [...rule.needs])),
  };
}

export function some(rules: readonly Rule[]): Rule {
  const [only] = rules;
  if (only !== undefined && rules.length === 1) return only;
  return {
    test(subject) {
      for (const rule of rules) if (rule.test(subject)) return true;
      return false;
    },
    ofConnection(connection) {
      let known: false | undefined = false;
      for (const rule of rules) {
        const holds = rule.ofConnection(connection);
        if (holds === true) return true;
        if (holds === undefined) known = undefined;
      }
      return known;
    },
    needs: eitherNeeds(rules.map(({ needs }) => needs)),
  };
}

export const not = (rule: Rule): Rule => ({
  test: (subject) => !rule.test(subject),
  ofConnection(connection) {
    const holds = rule.ofConnection(connection);
    return holds === undefined ? undefined : !holds;
  },
  needs: noNeeds,
});
