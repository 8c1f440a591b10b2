import type { ReceivedResource } from "../../xds/client/delta-state.ts";
import { TypeUrl } from "../../xds/types.ts";
import type { ToWorker } from "./messages.ts";

/** What names of this kind are gone for good when the server says so; of the others the last good version stays while somebody refers to it. */
const wildcard: ReadonlySet<TypeUrl> = new Set([TypeUrl.cluster, TypeUrl.listener, TypeUrl.virtualHost]);
const keepsLastGood: ReadonlySet<TypeUrl> = new Set([TypeUrl.endpoint, TypeUrl.route, TypeUrl.secret]);

type Resources = Extract<ToWorker, { kind: "resources" }>;

/** All that is in force by discovery, so that a worker that comes later is told the same as those that were there. */
export class ResourceJournal {
  /** In the order in which the types came first. Undefined: known to be nobody's. */
  private readonly types = new Map<TypeUrl, Map<string, ReceivedResource | undefined>>();

  /** @returns what workers are to be told */
  changed(typeUrl: TypeUrl, added: readonly ReceivedResource[], removed: readonly string[]): Resources {
    const held = this.types.get(typeUrl) ?? new Map<string, ReceivedResource | undefined>();
    this.types.set(typeUrl, held);
    for (const resource of added) held.set(resource.name, resource);
    for (const name of removed) {
      if (wildcard.has(typeUrl)) held.delete(name);
      else if (!keepsLastGood.has(typeUrl) || held.get(name) === undefined) held.set(name, undefined);
    }
    return { kind: "resources", typeUrl, added: [...added], removed: [...removed] };
  }

  /** Nobody refers to them any more. */
  forgotten(typeUrl: TypeUrl, names: readonly string[]): void {
    for (const name of names) this.types.get(typeUrl)?.delete(name);
  }

  replay(): Resources[] {
    return [...this.types].map(([typeUrl, held]) => ({
      kind: "resources",
      typeUrl,
      added: [...held.values()].filter((resource) => resource !== undefined),
      removed: [...held].flatMap(([name, resource]) => (resource === undefined ? [name] : [])),
    }));
  }
}
