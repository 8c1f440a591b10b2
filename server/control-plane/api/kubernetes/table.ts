import type { ConfigObject } from "../../../config/object.ts";
import type { Clock } from "../../../lib/clock.ts";
import type { ServedKind } from "../kind-index.ts";
import { present } from "./present.ts";

/** The Table version that the client prefers over the objects themselves, from its Accept header; undefined: it wants objects. */
export function wantedTable(accept: string | undefined): "v1" | "v1beta1" | undefined {
  for (const offer of (accept ?? "").split(",")) {
    const parameters = offer.split(";").map((part) => part.trim());
    if (parameters.includes("as=Table") && parameters.includes("g=meta.k8s.io")) {
      if (parameters.includes("v=v1")) return "v1";
      if (parameters.includes("v=v1beta1")) return "v1beta1";
    } else if (parameters.length === 1) return undefined;
  }
  return undefined;
}

export interface TableOptions {
  tableVersion: "v1" | "v1beta1";
  /** What each row carries of its object. */
  includeObject: "None" | "Metadata" | "Object";
  resourceVersion: string;
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables */
export function toTable(
  served: ServedKind,
  objects: readonly ConfigObject[],
  options: TableOptions,
  clock: Clock,
): Record<string, unknown> {
  const columns = served.definition.columns;
  return {
    kind: "Table",
    apiVersion: `meta.k8s.io/${options.tableVersion}`,
    metadata: { resourceVersion: options.resourceVersion },
    columnDefinitions: [
      { name: "Name", type: "string", format: "name", description: "Unique within the namespace.", priority: 0 },
      ...columns.map(({ name, type, description, priority }) => ({ name, type, format: "", description, priority })),
      { name: "Age", type: "string", format: "", description: "Time since the object was made.", priority: 0 },
    ],
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...columns.map((column) => {
          const value = column.value(object);
          return column.type === "date" ? humanAge(String(value), clock) : value;
        }),
        humanAge(object.metadata.creationTimestamp, clock),
      ],
      ...rowObject(served, object, options),
    })),
  };
}

function rowObject(served: ServedKind, object: ConfigObject, options: TableOptions): Record<string, unknown> {
  if (options.includeObject === "None") return {};
  const whole = present(served, object);
  if (options.includeObject === "Object") return { object: whole };
  return {
    object: {
      kind: "PartialObjectMetadata",
      apiVersion: `meta.k8s.io/${options.tableVersion}`,
      metadata: whole.metadata,
    },
  };
}

function humanAge(timestamp: string | undefined, clock: Clock): string {
  const since = Date.parse(timestamp ?? "");
  return Number.isNaN(since) ? "<unknown>" : humanDuration(clock.now() - since);
}

/** Two digits of what matters, as kubectl prints ages: 45s, 3m12s, 27m, 5h3m, 19h, 3d4h, 120d, 3y55d. */
export function humanDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const pair = (big: number, unit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${big}${unit}` : `${big}${unit}${small}${smallUnit}`;
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (hours < 3) return `${minutes}m`;
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (days < 8) return pair(days, "d", hours % 24, "h");
  if (days < 365 * 2) return `${days}d`;
  return pair(Math.floor(days / 365), "y", days % 365, "d");
}
