/** What is changed of one of Istio's standard metrics, by Istio's name for it (`REQUEST_COUNT`). */
export interface MetricChange {
  readonly disabled: boolean;
  /** By a label's name: an expression (CEL) for its value, or null where it is left out. */
  readonly tags: readonly (readonly [string, string | null])[];
}

export type MetricChanges = ReadonlyMap<string, MetricChange>;

/** As it travels in a tag of access logs: metrics that are changed alike stand together, since every entry carries it. */
type Written = [metrics: string[], disabled: 0 | 1, tags: Record<string, string | null>];

export function formatMetricChanges(rules: readonly (MetricChange & { readonly metric: string })[]): string {
  const alike = Map.groupBy(rules, ({ disabled, tags }) => JSON.stringify([disabled ? 1 : 0, tags]));
  const written = [...alike.values()].flatMap(([first, ...more]): Written[] => {
    if (first === undefined) return [];
    // Nobody sees the labels of what is not shown.
    const tags = first.disabled ? {} : Object.fromEntries(first.tags);
    return [[[first, ...more].map(({ metric }) => metric), first.disabled ? 1 : 0, tags]];
  });
  return JSON.stringify(written);
}

const maxCharacters = 65_536;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Undefined for what is none: anybody may send a tag of that name. */
export function parseMetricChanges(text: string): MetricChanges | undefined {
  if (text === "" || text.length > maxCharacters) return undefined;
  try {
    const written: unknown = JSON.parse(text);
    if (!Array.isArray(written)) return undefined;
    return new Map(written.flatMap((one: Written) => read(one)));
  } catch {
    return undefined;
  }
}

function read([metrics, disabled, tags]: Written): [string, MetricChange][] {
  const known = Object.entries(tags).filter(
    ([name, value]) => labelName.test(name) && (value === null || typeof value === "string"),
  );
  return metrics.map((metric) => [String(metric), { disabled: disabled === 1, tags: known }]);
}

/** The text that an expression is, whatever the request; undefined: it goes by the request. */
export const constantOf = (expression: string): string | undefined => {
  const [, single, double] = /^\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*$/.exec(expression) ?? [];
  return single ?? double;
};

/** Labels as a metric has them; `valueFor` an expression that goes by the request: undefined leaves the label as it is. */
export function changedLabels(
  labels: readonly (readonly [string, string])[],
  { tags }: MetricChange,
  valueFor: (expression: string) => string | undefined,
): (readonly [string, string])[] {
  const changed = new Map(labels);
  for (const [name, expression] of tags) {
    if (expression === null) changed.delete(name);
    else {
      const value = constantOf(expression) ?? valueFor(expression);
      if (value !== undefined) changed.set(name, value);
    }
  }
  return [...changed];
}
