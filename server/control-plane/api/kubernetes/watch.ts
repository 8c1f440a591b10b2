import type { ServerResponse } from "node:http";
import type { ConfigObject } from "../../../config/object.ts";
import { CompactedError, type ConfigChange } from "../../../config/store.ts";
import type { ApiContext } from "../context.ts";
import { apiVersionOf } from "../kind-index.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { expired, type StatusError, tooManyRequests, toStatus } from "../status-error.ts";
import { present } from "./present.ts";
import { isTrue, parseVersion, tableOptions, tooNew } from "./read.ts";
import type { Scope } from "./scope.ts";
import { type Selector, selectorOf } from "./selectors.ts";
import { type TableOptions, toTable } from "./table.ts";

export interface WatchLimits {
  /** Watches open at one time. */
  maxWatches: number;
  /** Bytes that may wait for a client that doesn't read; past this it is told 410 and must list again. */
  maxPendingBytes: number;
  bookmarkIntervalMs: number;
  /** How long a watch lasts that names no `timeoutSeconds`. */
  defaultTimeoutMs: number;
}

export const defaultWatchLimits: WatchLimits = {
  maxWatches: 256,
  maxPendingBytes: 1024 * 1024,
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
      const start = await startOf(context, request, scope);
      return {
        async stream(response) {
          open++;
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
  /** The client asked to be told where the beginning ends. */
  markInitialEnd: boolean;
}

async function startOf(context: ApiContext, request: ApiRequest, scope: Scope): Promise<Start> {
  const selected = selectorOf(request.query);
  const table = tableOptions(request, "");
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
    return { selected, table, initial, revision, markInitialEnd };
  }
  const current = await context.store.revision();
  const revision = version === "" || version === "0" ? current : parseVersion(version);
  if (revision > current) throw tooNew(revision, current);
  return { selected, table, initial: [], revision, markInitialEnd: false };
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
  const writer = createEventWriter(context, scope, start.table, response, limits.maxPendingBytes, () => ended.abort());
  let revision = start.revision;
  const bookmarks = isTrue(request.query.get("allowWatchBookmarks"));
  const timeoutMs = Number(request.query.get("timeoutSeconds") ?? 0) * 1000 || limits.defaultTimeoutMs;
  const timeout = context.clock.setTimeout(() => ended.abort(), timeoutMs);
  let bookmark = bookmarks ? context.clock.setTimeout(sendBookmark, limits.bookmarkIntervalMs) : undefined;
  function sendBookmark(): void {
    writer.bookmark(revision, false);
    bookmark = context.clock.setTimeout(sendBookmark, limits.bookmarkIntervalMs);
  }
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.flushHeaders();
  try {
    for (const object of start.initial) writer.event("ADDED", object);
    if (start.markInitialEnd) writer.bookmark(revision, true);
    for await (const commit of context.store.watch(revision, signal)) {
      for (const change of commit.changes) {
        const event = toEvent(scope, change, start.selected, commit.revision);
        if (event) writer.event(event.type, event.object);
      }
      revision = commit.revision;
    }
    if (bookmarks && !request.signal.aborted) writer.bookmark(revision, false);
  } catch (error) {
    if (error instanceof CompactedError) writer.error(expired(`too old resource version: ${revision}`));
    else if (!signal.aborted) throw error;
  } finally {
    timeout.cancel();
    bookmark?.cancel();
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
  maxPendingBytes: number,
  drop: () => void,
): EventWriter {
  let dropped = false;
  const write = (type: string, object: unknown): void => {
    if (dropped || response.destroyed) return;
    if (response.writableLength > maxPendingBytes) {
      dropped = true;
      context.logger.warn({ kind: scope.definition.kind }, "a watcher reads too slowly and is dropped");
      response.write(
        `${JSON.stringify({ type: "ERROR", object: toStatus(expired("the watcher reads too slowly")) })}\n`,
      );
      drop();
    } else response.write(`${JSON.stringify({ type, object })}\n`);
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
