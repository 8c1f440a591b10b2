import type { Fields } from "../http/stream.ts";
import { type HttpFilter, Replied, type RequestContext, type Step, type StreamFilter } from "./filter.ts";
import { Hold } from "./hold.ts";

/** Where a walk leads to: the router one way, the client the other. */
export interface WalkSink {
  /** @param end nothing follows; `onRequestEnd` isn't called */
  onRequestHead(end: boolean): void;
  onRequestData(bytes: Buffer, start: number, end: number): void;
  onRequestEnd(trailers: Fields | undefined): void;
  onResponseHead(): void;
  /** @returns false: stop until the client takes more */
  onResponseData(bytes: Buffer, start: number, end: number): boolean;
  onResponseEnd(trailers: Fields | undefined): void;
  /** More is held than may be: the rest of the request waits at its client till it is wanted. */
  pauseRequest(): void;
  resumeRequest(): void;
  /** The same where a filter wants it whole. */
  onRequestTooLarge(): void;
  onResponseTooLarge(): void;
}

/**
 * Where a request and its response stand among the filters, what is held, and whose state is closed. Requests pass from first to last, responses the other way
 * round. No I/O.
 */
export class FilterWalk {
  private readonly filters: readonly HttpFilter[];
  private readonly request: RequestContext;
  private readonly sink: WalkSink;
  private readonly limit: number;
  private requestLimit: number;
  private requestWhole = false;
  private requestPaused = false;
  /** Only filters with state of their own have one; in their places. */
  private streams: (StreamFilter | undefined)[] | undefined = undefined;
  /** How many filters the request's head has come to. */
  private reached = 0;
  /** The filter that the response's head comes to next; -1: all done. */
  private next = -1;
  private responding = false;
  private requestPassed = false;
  private responsePassed = false;
  private held: Hold | undefined = undefined;
  /** Data are with a filter's hook, and what goes on is not yet known: a hold that ends meanwhile ends after it. */
  private inHook = false;
  /** Whether the response's data are to come although its head is held. */
  readsWhileHeld = false;
  private afterHook: (() => void) | undefined = undefined;
  private closed = false;
  private requestHeld: Held | undefined = undefined;
  private responseHeld: Held | undefined = undefined;

  /** @param limit bytes that may wait, each way */
  constructor(filters: readonly HttpFilter[], request: RequestContext, sink: WalkSink, limit: number) {
    this.filters = filters;
    this.request = request;
    this.sink = sink;
    this.limit = limit;
    this.requestLimit = limit;
  }

  /** The request's head begins to walk. @param end nothing follows it */
  begin(end: boolean): void {
    if (end && this.filters.length > 0) {
      this.requestHeld = new Held();
      this.requestHeld.end(undefined);
    }
    if (this.filters.length > 0) this.goOn();
    else this.arrive(end);
  }

  private goOn(): void {
    this.held = undefined;
    while (this.reached < this.filters.length) {
      const filter = this.filters[this.reached] as HttpFilter;
      if (filter.open !== undefined) {
        this.streams ??= [];
        this.streams[this.reached] = filter.open(this.request);
      }
      this.reached++;
      const step = filter.onRequest?.(this.request) ?? this.streams?.[this.reached - 1]?.onRequest?.() ?? "go";
      if (step instanceof Replied) return;
      // What waited behind the filter before comes to this one now.
      this.advanceRequest();
      if (step !== "go") return;
      if (this.responding || this.closed) return;
    }
    const held = this.requestHeld;
    this.requestHeld = undefined;
    const ends = held?.ended === true && held.bytes === 0 && held.trailers === undefined;
    this.arrive(ends);
    if (held === undefined || ends) return;
    for (const data of held.take()) this.tellRequest(data);
    if (held.ended) this.sink.onRequestEnd(held.trailers);
    else if (this.requestPaused) this.sink.resumeRequest();
  }

  private arrive(end: boolean): void {
    this.requestPassed = true;
    this.sink.onRequestHead(end);
  }

  requestData(bytes: Buffer, start: number, end: number): void {
    if (this.streams === undefined && this.requestPassed) {
      this.sink.onRequestData(bytes, start, end);
      return;
    }
    this.inHook = true;
    const data = this.throughRequest(0, this.reached, bytes.subarray(start, end));
    this.inHook = false;
    if (this.requestPassed) this.tellRequest(data);
    else if (!this.requestWaits.add(data, this.requestLimit)) this.onRequestFull();
    this.endHook();
  }

  private onRequestFull(): void {
    if (this.requestWhole) {
      this.afterHook = undefined;
      this.sink.onRequestTooLarge();
    } else if (!this.requestPaused) {
      this.requestPaused = true;
      this.sink.pauseRequest();
    }
  }

  requestEnd(trailers: Fields | undefined): void {
    this.inHook = true;
    const passing = trailers ?? [];
    const rest = this.endRequest(0, this.reached, passing);
    this.inHook = false;
    if (this.requestPassed) {
      this.tellRequest(rest);
      this.sink.onRequestEnd(nonEmpty(passing));
      return;
    }
    this.requestWaits.add(rest, Number.POSITIVE_INFINITY);
    this.requestWaits.end(nonEmpty(passing));
    this.endHook();
  }

  /** Bytes of the request that may wait from now on. @param whole more is too much, and not only too early */
  limitRequest(bytes: number, whole = true): void {
    this.requestLimit = bytes;
    this.requestWhole = whole;
  }

  /** The response's head walks back from the last filter that saw the request. */
  respond(): void {
    this.responding = true;
    this.release();
    this.next = this.reached - 1;
    this.responsePassed = false;
    this.responseHeld = undefined;
    this.goBack();
  }

  responseData(bytes: Buffer, start: number, end: number): boolean {
    if (this.streams === undefined && this.responsePassed) return this.sink.onResponseData(bytes, start, end);
    this.inHook = true;
    const data = this.throughResponse(this.reached - 1, this.next, bytes.subarray(start, end));
    this.inHook = false;
    if (this.responsePassed) return data.length === 0 || this.sink.onResponseData(data, 0, data.length);
    if (!this.responseWaiting.add(data, this.limit)) this.sink.onResponseTooLarge();
    // Whoever wants the data to go on with the head must have them; they are bounded above.
    return this.readsWhileHeld;
  }

  responseEnd(trailers: Fields | undefined): void {
    this.inHook = true;
    const passing = trailers ?? [];
    const rest = this.endResponse(this.reached - 1, this.next, passing);
    this.inHook = false;
    if (this.responsePassed) {
      if (rest.length > 0) this.sink.onResponseData(rest, 0, rest.length);
      this.sink.onResponseEnd(nonEmpty(passing));
      return;
    }
    this.responseWaiting.add(rest, Number.POSITIVE_INFINITY);
    this.responseWaiting.end(nonEmpty(passing));
    this.endHook();
  }

  /** @param reads of a response: its data are wanted while its head is held */
  hold(close: () => void, reads = false): Hold {
    this.readsWhileHeld = reads;
    const walk = this.responding ? () => this.goBack() : () => this.goOn();
    const goOn = () => {
      if (this.inHook) this.afterHook = walk;
      else walk();
    };
    this.held = new Hold(goOn, close);
    return this.held;
  }

  private endHook(): void {
    const after = this.afterHook;
    this.afterHook = undefined;
    if (!this.closed) after?.();
  }

  /** Whether somebody holds the response's head. */
  get responseWaits(): boolean {
    return this.responding && !this.responsePassed;
  }

  /** Ends a wait without going on. */
  release(): void {
    const { held } = this;
    this.held = undefined;
    held?.release();
  }

  /** The request is over. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.release();
    for (const stream of this.streams ?? []) stream?.close?.();
  }

  private goBack(): void {
    this.held = undefined;
    while (this.next >= 0) {
      const filter = this.filters[this.next--] as HttpFilter;
      const step: Step = filter.onResponse?.(this.request) ?? this.streams?.[this.next + 1]?.onResponse?.() ?? "go";
      this.advanceResponse();
      if (step !== "go" || this.closed) return;
    }
    const held = this.responseHeld;
    this.responseHeld = undefined;
    this.responsePassed = true;
    this.sink.onResponseHead();
    if (held === undefined) return;
    for (const data of held.take()) this.sink.onResponseData(data, 0, data.length);
    if (held.ended) this.sink.onResponseEnd(held.trailers);
  }

  private get requestWaits(): Held {
    this.requestHeld ??= new Held();
    return this.requestHeld;
  }

  private get responseWaiting(): Held {
    this.responseHeld ??= new Held();
    return this.responseHeld;
  }

  private throughRequest(from: number, to: number, data: Buffer): Buffer {
    let passing = data;
    for (let i = from; i < to && passing.length > 0; i++)
      passing = this.streams?.[i]?.requestData?.(passing) ?? passing;
    return passing;
  }

  private endRequest(from: number, to: number, trailers: Fields): Buffer {
    let rest: Buffer = nothing;
    for (let i = from; i < to; i++) {
      const stream = this.streams?.[i];
      if (stream === undefined) continue;
      if (rest.length > 0 && stream.requestData !== undefined) rest = stream.requestData(rest);
      const more = stream.requestEnd?.(trailers);
      if (more !== undefined && more.length > 0) rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
    }
    return rest;
  }

  private throughResponse(from: number, above: number, data: Buffer): Buffer {
    let passing = data;
    for (let i = from; i > above && passing.length > 0; i--)
      passing = this.streams?.[i]?.responseData?.(passing) ?? passing;
    return passing;
  }

  private endResponse(from: number, above: number, trailers: Fields): Buffer {
    let rest: Buffer = nothing;
    for (let i = from; i > above; i--) {
      const stream = this.streams?.[i];
      if (stream === undefined) continue;
      if (rest.length > 0 && stream.responseData !== undefined) rest = stream.responseData(rest);
      const more = stream.responseEnd?.(trailers);
      if (more !== undefined && more.length > 0) rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
    }
    return rest;
  }

  /** The filter just reached sees what has waited before it. */
  private advanceRequest(): void {
    const place = this.reached - 1;
    const { requestHeld } = this;
    if (requestHeld === undefined || this.streams?.[place] === undefined) return;
    requestHeld.pass((data) => this.throughRequest(place, place + 1, data));
    if (requestHeld.ended) requestHeld.endBy((trailers) => this.endRequest(place, place + 1, trailers));
  }

  private advanceResponse(): void {
    const place = this.next + 1;
    const { responseHeld } = this;
    if (responseHeld === undefined || this.streams?.[place] === undefined) return;
    responseHeld.pass((data) => this.throughResponse(place, place - 1, data));
    if (responseHeld.ended) responseHeld.endBy((trailers) => this.endResponse(place, place - 1, trailers));
  }

  private tellRequest(data: Buffer): void {
    if (data.length > 0) this.sink.onRequestData(data, 0, data.length);
  }
}

const nothing = Buffer.alloc(0);

const nonEmpty = (trailers: Fields): Fields | undefined => (trailers.length > 0 ? trailers : undefined);

/** Data that wait, and whether their end does. */
class Held {
  ended = false;
  trailers: Fields | undefined = undefined;
  bytes = 0;
  private parts: Buffer[] = [];

  /** @returns false when that is more than may be held */
  add(data: Buffer, limit: number): boolean {
    this.append(Buffer.from(data));
    return this.bytes <= limit;
  }

  append(data: Buffer): void {
    if (data.length === 0) return;
    this.parts.push(data);
    this.bytes += data.length;
  }

  end(trailers: Fields | undefined): void {
    this.ended = true;
    this.trailers = trailers;
  }

  pass(through: (data: Buffer) => Buffer): void {
    const parts = this.take();
    for (const part of parts) this.append(through(part));
  }

  /** A filter sees the end. */
  endBy(through: (trailers: Fields) => Buffer): void {
    const trailers = this.trailers ?? [];
    this.append(through(trailers));
    this.trailers = nonEmpty(trailers);
  }

  take(): Buffer[] {
    const { parts } = this;
    this.parts = [];
    this.bytes = 0;
    return parts;
  }
}
