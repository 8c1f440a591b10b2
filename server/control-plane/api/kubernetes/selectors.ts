import type { ConfigObject } from "../../../config/object.ts";
import { badRequest } from "../status-error.ts";

export type Selector = (object: ConfigObject) => boolean;

/** `labelSelector` and `fieldSelector` of a list, watch or delete. Throws 400 on one that can't be read. */
export function selectorOf(query: URLSearchParams): Selector {
  const labels = parseLabelSelector(query.get("labelSelector") ?? "");
  const fields = parseFieldSelector(query.get("fieldSelector") ?? "");
  return (object) => labels(object) && fields(object);
}

type Labels = Record<string, string>;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api */
export function parseLabelSelector(text: string): Selector {
  const requirements = splitTopLevel(text).map(parseRequirement);
  return (object) => requirements.every((holds) => holds(object.metadata.labels ?? {}));
}

function parseRequirement(text: string): (labels: Labels) => boolean {
  const set = /^([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text);
  if (set) {
    const [, key = "", operator, list = ""] = set;
    const values = new Set(list.split(",").map((value) => value.trim()));
    return operator === "in"
      ? (labels) => Object.hasOwn(labels, key) && values.has(labels[key] ?? "")
      : (labels) => !values.has(labels[key] ?? "") || !Object.hasOwn(labels, key);
  }
  const equality = /^([^\s!=,()]+)\s*(==?|!=)\s*([^\s!=,()]*)$/.exec(text);
  if (equality) {
    const [, key = "", operator, value = ""] = equality;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const existence = /^(!?)\s*([^\s!=,()]+)$/.exec(text);
  if (existence) {
    const [, negated, key = ""] = existence;
    return negated ? (labels) => !Object.hasOwn(labels, key) : (labels) => Object.hasOwn(labels, key);
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)} is no label selector`);
}

/** Fields that can be selected, as for custom resources. */
const fieldValues: Record<string, (object: ConfigObject) => string> = {
  "metadata.name": (object) => object.metadata.name,
  "metadata.namespace": (object) => object.metadata.namespace,
};

function parseFieldSelector(text: string): Selector {
  const terms = splitTopLevel(text).map((term) => {
    const match = /^([^=!]+)(==?|!=)(.*)$/.exec(term);
    if (!match) throw badRequest(`invalid field selector: ${JSON.stringify(term)}`);
    const [, field = "", operator, value] = match;
    const read = fieldValues[field];
    if (read === undefined) throw badRequest(`field label not supported: ${field}`);
    return (object: ConfigObject) => (read(object) === value) === (operator !== "!=");
  });
  return (object) => terms.every((holds) => holds(object));
}

/** As many as anybody writes; each is asked of every object. */
const maxTerms = 200;

/** Splits at commas outside of parentheses. Throws 400 past the number of terms that are looked at. */
function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let inside = false;
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at];
    if (letter === "(") inside = true;
    else if (letter === ")") inside = false;
    if (at < text.length && (letter !== "," || inside)) continue;
    const part = text.slice(from, at).trim();
    if (part !== "") parts.push(part);
    from = at + 1;
  }
  if (parts.length > maxTerms) throw badRequest(`a selector may have ${maxTerms} terms, not ${parts.length}`);
  return parts;
}
