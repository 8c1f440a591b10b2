import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DashboardError, told } from "../contract/index.ts";

/** An answer that goes on: what an API handler resolves with in place of a value. */
export class EventStream<T = unknown> {
  readonly events: (signal: AbortSignal) => AsyncIterable<T>;
  /** `events` must end when its signal aborts. What its reader is too slow for waits in the source, one event at a time. */
  constructor(events: (signal: AbortSignal) => AsyncIterable<T>) {
    this.events = events;
  }
}

/** A browser opens one for each tab that looks on. */
const maxStreams = 32;
/** Proxies between here and the reader drop a connection that says nothing, after 30 s at the soonest as a rule. */
const heartbeatMs = 15_000;
let open = 0;

/**
 * Server-sent events: each value is JSON in one `data:` line; an error that ends the stream is an event `failed`.
 * `mayGoOn` is asked every few seconds. https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function sendEvents(
  request: IncomingMessage,
  response: ServerResponse,
  stream: EventStream,
  mayGoOn: () => Promise<boolean> = async () => true,
): Promise<void> {
  if (open >= maxStreams && request.method !== "HEAD") {
    throw new DashboardError({
      code: "BUSY",
      ...told("streams-full", { count: maxStreams }),
    });
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  open += 1;
  const gone = new AbortController();
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(":\n\n");
    // Whoever signs out, or is signed out, sees no more of it.
    mayGoOn().then(
      (may) => may || gone.abort(),
      () => undefined,
    );
  }, heartbeatMs);
  response.once("close", () => gone.abort());
  try {
    // A reader knows by it that it is connected, before there is anything to tell.
    response.write(":\n\n");
    for await (const event of stream.events(gone.signal)) {
      if (gone.signal.aborted) break;
      if (!response.write(`data: ${JSON.stringify(event)}\n\n`)) await drained(response, gone.signal);
    }
  } catch (error) {
    if (!gone.signal.aborted) response.write(`event: failed\ndata: ${JSON.stringify(failure(error))}\n\n`);
  } finally {
    clearInterval(heartbeat);
    open -= 1;
    response.end();
  }
}

/** Rejections are of the signal alone, and end the loop by it. */
const drained = (response: ServerResponse, signal: AbortSignal): Promise<unknown> =>
  once(response, "drain", { signal }).catch(() => undefined);

const failure = (error: unknown): object =>
  error instanceof DashboardError
    ? { code: error.code, message: error.message }
    : { code: "INTERNAL", message: error instanceof Error ? error.message : "the stream failed" };
