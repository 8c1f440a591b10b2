import { listFaults, type VirtualService } from "../../../config/edits/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { Change, Fault } from "../../../contract/index.ts";

/** The faults that began and ended with a commit, so that a history can say of each how it came and went; undefined without any. */
export function faultsOfChange(changes: readonly ConfigChange[]): Change["faults"] {
  const routed = changes.filter(({ key }) => key.kind === "VirtualService");
  const [before, after] = [routed.flatMap((it) => faultsIn(it.before)), routed.flatMap((it) => faultsIn(it.after))];
  const started = after.filter((fault) => !before.some((other) => keyOf(other) === keyOf(fault)));
  const ended = before.filter((fault) => !after.some((other) => keyOf(other) === keyOf(fault)));
  return started.length + ended.length > 0 ? { started, ended } : undefined;
}

const faultsIn = (object: ConfigObject | undefined): Fault[] =>
  object === undefined ? [] : listFaults([object as VirtualService]);

/** One that was written by hand is known by its rule's place, which moves: what it does tells it better. */
const keyOf = ({ id, author, namespace, virtualService, delay, abort, matches }: Fault): string =>
  author !== null ? id : JSON.stringify([namespace, virtualService, delay, abort, matches]);
