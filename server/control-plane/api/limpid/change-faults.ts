import { listFaults, type ServiceRef, type VirtualService } from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { Change, Fault } from "../../../contract/index.ts";

/** The faults that began and ended with a commit, so that a history can say of each how it came and went; undefined without any. */
export function faultsOfChange(
  changes: readonly ConfigChange[],
  services: readonly ServiceRef[] = [],
): Change["faults"] {
  const faultsIn = (objects: readonly (ConfigObject | undefined)[]): Fault[] =>
    listFaults(objects.filter((one) => one !== undefined) as VirtualService[], services);
  const routed = changes.filter(({ key }) => key.kind === "VirtualService");
  const [before, after] = [faultsIn(routed.map((it) => it.before)), faultsIn(routed.map((it) => it.after))];
  const [was, is] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  const started = after.filter((fault) => !was.has(keyOf(fault)));
  const ended = before.filter((fault) => !is.has(keyOf(fault)));
  return started.length + ended.length > 0 ? { started, ended } : undefined;
}

/** One that was written by hand is known by its rule's place, which moves: what it does tells it better. */
const keyOf = ({ id, author, namespace, virtualService, delay, abort, matches }: Fault): string =>
  author !== null ? id : JSON.stringify([namespace, virtualService, delay, abort, matches]);
