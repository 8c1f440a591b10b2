import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { ConfigObject } from "../../../config/object.ts";
import { CompactedError, type ConfigChange } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";
import { apiVersionOf } from "../kind-index.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, expired, type StatusError, tooManyRequests, toStatus } from "../status-error.ts";
import { present } from "./present.ts";
import { isTrue, parseVersion, tableOptions, tooNew } from "./read.ts";
import type { Scope } from "./scope.ts";
import { type Selector, selectorOf } from "./selectors.ts";
import { type TableOptions, toTable } from "./table.ts";
import { watchedChanges } from "./watched-changes.ts";

export interface WatchLimits {
  /** Watches open at one time. */
  maxWatches: number;
  /** Bytes that may wait for a client; past this, its watch goes on when it has read them. */
  maxPendingBytes: number;
  /** How long that may take; then it is told 410 and must list again. */
  slowReaderMs: number;
  bookmarkIntervalMs: number;
  /** How long a watch lasts that names no `timeoutSeconds`. */
  defaultTimeoutMs: number;
}

export const defaultWatchLimits: WatchLimits = {
  maxWatches: 256,
  maxPendingBytes: 1024 * 1024,
  slowReaderMs: 30_000,
  bookmarkIntervalMs: 60_000,
  defaultTimeoutMs: 30 * 60_000,
};

export interface WatchServer {
  open(request: ApiRequest, scope: Scope): Promise<ApiResponse>;
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export function createWatchServer(context: ApiContext, limits: WatchLimits): WatchServer {
  let open = 0;
  return {
    async open(request, scope) {
      if (open >= limits.maxWatches) throw tooManyRequests(`there are ${open} watches already`);
      open++; // now, and not when the first list is read: many may ask at once
      let start: Start;
      try {
        start = await startOf(context, request, scope);
      } catch (error) {
        open--;
        throw error;
      }
      return {
        async stream(response) {
          try {
            await run(context, request, scope, start, limits, response);
          } finally {
            open--;
          }
        },
      };
    },
  };
}

interface Start {
  selected: Selector;
  table: TableOptions | undefined;
  /** Objects to begin with, as ADDED. */
  initial: ConfigObject[];
  /** Changes after this revision follow. */
  revision: number;
  /** What changed since then without a commit. */
  missed?: readonly ConfigChange[];
  timeoutMs: number | undefined;
  /** The client asked to be told where the beginning ends. */
  markInitialEnd: boolean;
}

async function startOf(context: ApiContext, request: ApiRequest, scope: Scope): Promise<Start> {
  const selected = selectorOf(request.query);
  const table = tableOptions(request, "");
  const timeoutMs = timeoutOf(request.query);
  const version = request.query.get("resourceVersion") ?? "";
  const wantsInitial = request.query.get("sendInitialEvents");
  const markInitialEnd = isTrue(wantsInitial);
  if (markInitialEnd || (wantsInitial === null && (version === "" || version === "0"))) {
    const query = {
      kind: scope.definition.kind,
      ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
    };
    const { items, revision } = await context.store.list(query);
    const initial = items.filter((object) => isInScope(scope, object, selected));
    return { selected, table, initial, revision, timeoutMs, markInitialEnd };
  }
  const current = await context.store.revision();
  const revision = version === "" || version === "0" ? current : parseVersion(version);
  if (revision > current) throw tooNew(revision, current);
  return {
    selected,
    table,
    initial: [],
    revision,
    timeoutMs,
    markInitialEnd: false,
    ...missedSince(context, scope, revision),
  };
}

/** Of workloads that registered themselves. Throws 410 where it is not known any more: the client lists again. */
function missedSince({ registered }: ApiContext, scope: Scope, revision: number): Pick<Start, "missed"> {
  if (registered === undefined || scope.definition.kind !== "WorkloadEntry") return {};
  const missed = registered.log.since(revision);
  if (missed === undefined) throw expired(`too old resource version: ${revision}`);
  return { missed };
}

/** The longest that a timer can be set to: 24 days. */
const maxTimeoutMs = 2 ** 31 - 1;

/** `timeoutSeconds` in milliseconds; undefined when the client leaves it to the server. Throws 400. */
function timeoutOf(query: URLSearchParams): number | undefined {
  const text = query.get("timeoutSeconds") ?? "";
  if (!/^\d{0,18}$/.test(text)) throw badRequest(`timeoutSeconds: Invalid value: ${JSON.stringify(text)}`);
  return Number(text) === 0 ? undefined : Math.min(Number(text) * 1000, maxTimeoutMs);
}

async function run(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  start: Start,
  limits: WatchLimits,
  response: ServerResponse,
): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([request.signal, context.closing, ended.signal]);
  const writer = createEventWriter(context, scope, start.table, response);
  const room = () => waitForRoom(context, response, limits, signal);
  let revision = start.revision;
  const bookmarks = isTrue(request.query.get("allowWatchBookmarks"));
  const timeout = context.clock.setTimeout(() => ended.abort(), start.timeoutMs ?? limits.defaultTimeoutMs);
  let bookmark: { cancel(): void } | undefined;
  function sendBookmark(): void {
    if (response.writableLength <= limits.maxPendingBytes) writer.bookmark(revision, false);
    bookmark = context.clock.setTimeout(sendBookmark, limits.bookmarkIntervalMs);
  }
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.flushHeaders();
  try {
    for (const object of start.initial) {
      if (signal.aborted) return; // without a bookmark: who comes back must begin again
      writer.event("ADDED", object);
      await room();
    }
    if (start.markInitialEnd) writer.bookmark(revision, true);
    if (bookmarks) bookmark = context.clock.setTimeout(sendBookmark, limits.bookmarkIntervalMs);
    if (start.missed) {
      for (const change of start.missed) {
        const event = toEvent(scope, change, start.selected, revision);
        if (event) writer.event(event.type, event.object);
        await room();
      }
    }
    for await (const commit of watchedChanges(context, scope.definition.kind, revision, signal)) {
      for (const change of commit.changes) {
        const event = toEvent(scope, change, start.selected, commit.revision);
        if (!event) continue;
        writer.event(event.type, event.object);
        await room();
      }
      revision = commit.revision;
    }
    if (bookmarks && !request.signal.aborted) writer.bookmark(revision, false);
  } catch (error) {
    if (error instanceof CompactedError) writer.error(expired(`too old resource version: ${revision}`));
    else if (error instanceof SlowReaderError) {
      context.logger.warn({ kind: scope.definition.kind }, "a watcher reads too slowly and is dropped");
      writer.error(expired("the watcher reads too slowly"));
    } else if (!signal.aborted) throw error;
  } finally {
    timeout.cancel();
    bookmark?.cancel();
  }
}

class SlowReaderError extends Error {}

/**
 * The next change is taken from the store only when there is room for it, so that nothing piles up here for a slow reader, and one that
 * reads gets any amount. Throws `SlowReaderError` past `slowReaderMs`.
 */
async function waitForRoom(
  { clock }: ApiContext,
  response: ServerResponse,
  limits: WatchLimits,
  signal: AbortSignal,
): Promise<void> {
  const hasRoom = response.writableLength <= limits.maxPendingBytes || !response.writableNeedDrain;
  if (hasRoom || response.destroyed || signal.aborted) return;
  const tooLong = new AbortController();
  const timer = clock.setTimeout(() => tooLong.abort(), limits.slowReaderMs);
  try {
    await once(response, "drain", { signal: AbortSignal.any([signal, tooLong.signal]) });
  } catch (error) {
    if (tooLong.signal.aborted) throw new SlowReaderError();
    if (!signal.aborted) throw error;
  } finally {
    timer.cancel();
  }
}

function isInScope(scope: Scope, object: ConfigObject | undefined, selected: Selector): object is ConfigObject {
  if (object === undefined || object.kind !== scope.definition.kind) return false;
  if (scope.namespace !== undefined && object.metadata.namespace !== scope.namespace) return false;
  return (scope.name === undefined || object.metadata.name === scope.name) && selected(object);
}

/** An object that comes into the selection is ADDED for this watcher, one that leaves it DELETED, whatever was done to it. */
function toEvent(scope: Scope, change: ConfigChange, selected: Selector, revision: number) {
  const { before, after } = change;
  const was = isInScope(scope, before, selected);
  if (isInScope(scope, after, selected)) return { type: was ? "MODIFIED" : "ADDED", object: after };
  if (!was) return undefined;
  const last = after ?? before; // a delete shows the last state, at the revision of the delete
  return { type: "DELETED", object: { ...last, metadata: { ...last.metadata, resourceVersion: String(revision) } } };
}

interface EventWriter {
  event(type: string, object: ConfigObject): void;
  bookmark(revision: number, endsInitial: boolean): void;
  error(error: StatusError): void;
}

function createEventWriter(
  context: ApiContext,
  scope: Scope,
  table: TableOptions | undefined,
  response: ServerResponse,
): EventWriter {
  const write = (type: string, object: unknown): void => {
    if (!response.destroyed) response.write(`${JSON.stringify({ type, object })}\n`);
  };
  return {
    event(type, object) {
      const resourceVersion = object.metadata.resourceVersion ?? "";
      write(
        type,
        table ? toTable(scope, [object], { ...table, resourceVersion }, context.clock) : present(scope, object),
      );
    },
    bookmark(revision, endsInitial) {
      const annotations = endsInitial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
      const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations };
      const { group, kind } = scope.definition;
      const object = { kind, apiVersion: apiVersionOf(group, scope.version), metadata };
      if (!table) write("BOOKMARK", object);
      else {
        const empty = toTable(scope, [], { ...table, resourceVersion: String(revision) }, context.clock);
        write("BOOKMARK", { ...empty, rows: [{ cells: [], object }] });
      }
    },
    error(error) {
      write("ERROR", toStatus(error));
    },
  };
}
