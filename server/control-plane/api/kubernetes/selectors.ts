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
    const values = list.split(",").map((value) => value.trim());
    return operator === "in"
      ? (labels) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? "")
      : (labels) => !values.includes(labels[key] ?? "") || !Object.hasOwn(labels, key);
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

/** Splits at commas outside of parentheses. */
function splitTopLevel(text: string): string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
