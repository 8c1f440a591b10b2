import { logTags } from "../wire/access-log-names.ts";
import { peerHeader } from "../wire/peer.ts";
import { flagCount } from "../wire/response-flags.ts";
import { LogEntry } from "./log-entry.ts";
import { ProtoReader, type Range, TextSlot } from "./proto-reader.ts";

/**
 * Reads `envoy.service.accesslog.v3.StreamAccessLogsMessage`. By hand, because every request of the mesh passes here twice: general decoding
 * was half of the collector's time. A test holds it to what protobuf-es reads.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/data/accesslog/v3/accesslog.proto
 */
export class EntryReader {
  readonly #entry = new LogEntry();
  readonly #readers = Array.from({ length: 6 }, () => new ProtoReader());
  readonly #names = new ProtoReader();
  readonly #slots = new Map<string, TextSlot>();

  /** The identifier's bytes, when the message has one, and every entry in turn. Throws RangeError where the bytes are no such message. */
  read(bytes: Buffer, onIdentifier: (identifier: Buffer) => boolean, onEntry: (entry: LogEntry) => void): void {
    const message = this.#reader(0).reset(bytes);
    while (message.next()) {
      if (message.field === 1) {
        const { start, end } = message.range();
        if (!onIdentifier(bytes.subarray(start, end))) return;
      } else if (message.field === 2 || message.field === 3) {
        const kind = message.field === 2 ? "http" : "tcp";
        const entries = message.message(this.#reader(1));
        while (entries.next()) {
          if (entries.field !== 1) continue;
          this.#entry.reset(kind);
          if (kind === "http") this.#http(entries.message(this.#reader(2)));
          else this.#tcp(entries.message(this.#reader(2)));
          onEntry(this.#entry);
        }
      }
    }
  }

  #reader(depth: number): ProtoReader {
    return this.#readers[depth] as ProtoReader;
  }

  #http(fields: ProtoReader): void {
    while (fields.next()) {
      if (fields.field === 1) this.#common(fields.message(this.#reader(3)));
      else if (fields.field === 3) this.#request(fields.message(this.#reader(3)));
      else if (fields.field === 4) this.#response(fields.message(this.#reader(3)));
    }
  }

  #tcp(fields: ProtoReader): void {
    const entry = this.#entry;
    while (fields.next()) {
      if (fields.field === 1) this.#common(fields.message(this.#reader(3)));
      else if (fields.field === 2) {
        const connection = fields.message(this.#reader(3));
        while (connection.next()) {
          if (connection.field === 1) entry.requestBytes = connection.uint();
          else if (connection.field === 2) entry.responseBytes = connection.uint();
        }
      }
    }
  }

  #common(fields: ProtoReader): void {
    const entry = this.#entry;
    while (fields.next()) {
      switch (fields.field) {
        case 2:
          this.#address(fields, "downstream");
          break;
        case 3:
          this.#address(fields, "local");
          break;
        case 4:
          this.#tls(fields.message(this.#reader(4)));
          break;
        case 5:
          entry.startMs = this.#time(fields);
          break;
        case 12:
          entry.lastDownstreamTxMs = this.#time(fields);
          break;
        case 13:
          this.#address(fields, "upstream");
          break;
        case 15:
          entry.upstreamCluster = this.#text(fields, "cluster");
          break;
        case 16:
          entry.flags = this.#flags(fields.message(this.#reader(4)));
          break;
        case 19:
          entry.routeName = this.#text(fields, "route");
          break;
        case 21:
          this.#filterState(fields.message(this.#reader(4)));
          break;
        case 22:
          this.#pair(fields.message(this.#reader(4)), tagFields, "tag");
          break;
        case 23:
          entry.durationMs = this.#time(fields);
          break;
        case 25:
          entry.terminationDetails = this.#text(fields, "termination");
          break;
        case 27:
          entry.intermediate = fields.bool();
          break;
        case 33:
          entry.type = fields.uint();
          break;
      }
    }
  }

  #request(fields: ProtoReader): void {
    const entry = this.#entry;
    while (fields.next()) {
      switch (fields.field) {
        case 1:
          entry.method = fields.uint();
          break;
        case 3:
          entry.authority = this.#text(fields, "authority");
          break;
        case 5:
          entry.path = this.#text(fields, "path");
          break;
        case 6:
          entry.userAgent = this.#text(fields, "agent");
          break;
        case 9:
          entry.requestId = fields.string();
          break;
        case 10:
          entry.originalPath = this.#text(fields, "original");
          break;
        case 11:
        case 12:
          entry.requestBytes += fields.uint();
          break;
        case 13:
          this.#pair(fields.message(this.#reader(4)), requestHeaderFields, "request");
          break;
      }
    }
  }

  #response(fields: ProtoReader): void {
    const entry = this.#entry;
    while (fields.next()) {
      switch (fields.field) {
        case 1: {
          const wrapped = fields.message(this.#reader(4));
          while (wrapped.next()) if (wrapped.field === 1) entry.code = wrapped.uint();
          break;
        }
        case 2:
        case 3:
          entry.responseBytes += fields.uint();
          break;
        case 4: // headers: of a response without a body, gRPC's status stands here
        case 5: // trailers
          this.#pair(fields.message(this.#reader(4)), responseHeaderFields, "response");
          break;
        case 6:
          entry.details = this.#text(fields, "details");
          break;
      }
    }
  }

  /** A map's entry, of which only some keys are wanted; what `wanted` names is set. */
  #pair(fields: ProtoReader, wanted: ReadonlyMap<string, TextField>, slot: string): void {
    let key = "";
    let value: Range | undefined;
    while (fields.next()) {
      if (fields.field === 1) key = this.#text(fields, `${slot} key`);
      else if (fields.field === 2) value = fields.range();
    }
    const field = wanted.get(key);
    if (field === undefined || value === undefined) return;
    this.#entry[field] =
      field === "traceparent" // never the same twice
        ? value.bytes.toString("utf8", value.start, value.end)
        : this.#slot(field).of(value.bytes, value.start, value.end);
  }

  #filterState(fields: ProtoReader): void {
    let key = "";
    let value: Range | undefined;
    while (fields.next()) {
      if (fields.field === 1) key = this.#text(fields, "state key");
      else if (fields.field === 2) value = fields.range();
    }
    // Istio before 1.24 kept them under the names of its former extensions.
    if (key === "downstream_peer" || key === "wasm.downstream_peer") this.#entry.downstreamPeer = value;
    else if (key === "upstream_peer" || key === "wasm.upstream_peer") this.#entry.upstreamPeer = value;
  }

  #tls(fields: ProtoReader): void {
    while (fields.next()) {
      // The proxy's own certificate, and the peer's.
      if (fields.field !== 4 && fields.field !== 5) continue;
      const whose = fields.field === 4 ? "localUri" : "peerUri";
      const certificate = fields.message(this.#reader(5));
      while (certificate.next()) {
        if (certificate.field !== 1) continue;
        const name = certificate.message(this.#names);
        if (whose === "peerUri") this.#entry.mtls = true;
        while (name.next()) if (name.field === 1) this.#entry[whose] ||= this.#text(name, whose);
      }
    }
  }

  #flags(fields: ProtoReader): number {
    let bits = 0;
    while (fields.next()) {
      // A message stands for a flag by being there.
      const set = fields.field === unauthorizedField || fields.bool();
      if (set && fields.field <= flagCount) bits |= 1 << (fields.field - 1);
    }
    return bits;
  }

  /** Timestamp and Duration share one form. Milliseconds. */
  #time(of: ProtoReader): number {
    const fields = of.message(this.#reader(4));
    let ms = 0;
    while (fields.next()) {
      if (fields.field === 1) ms += fields.int() * 1000;
      else if (fields.field === 2) ms += fields.int() / 1e6;
    }
    return ms;
  }

  #address(of: ProtoReader, which: "downstream" | "local" | "upstream"): void {
    const fields = of.message(this.#reader(4));
    while (fields.next()) {
      if (fields.field === 1) this.#socketAddress(fields.message(this.#reader(5)), which);
      else if (fields.field === 2 && which === "upstream") {
        const pipe = fields.message(this.#reader(5));
        while (pipe.next()) if (pipe.field === 1) this.#entry.upstreamHost = pipe.string();
      }
    }
  }

  #socketAddress(fields: ProtoReader, which: "downstream" | "local" | "upstream"): void {
    let ip = "";
    let port: number | "" = "";
    while (fields.next()) {
      if (fields.field === 2) ip = this.#text(fields, which);
      else if (fields.field === 3) port = fields.uint();
    }
    if (which === "downstream") this.#entry.downstreamIp = ip;
    else if (which === "local") this.#entry.downstreamLocalPort = Number(port);
    else {
      this.#entry.upstreamIp = ip;
      this.#entry.upstreamHost = `${ip}:${port}`;
    }
  }

  #text(fields: ProtoReader, slot: string): string {
    return fields.text(this.#slot(slot));
  }

  #slot(name: string): TextSlot {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = new TextSlot();
      this.#slots.set(name, slot);
    }
    return slot;
  }
}

const unauthorizedField = 13;

type TextField =
  | "destination"
  | "config"
  | "rule"
  | "cluster"
  | "count"
  | "reachedUri"
  | "metrics"
  | "messages"
  | "peer"
  | "traceparent"
  | "contentType"
  | "grpcStatus";

const tagFields = new Map<string, TextField>([
  [logTags.destination, "destination"],
  [logTags.config, "config"],
  [logTags.rule, "rule"],
  [logTags.cluster, "cluster"],
  [logTags.count, "count"],
  [logTags.reached, "reachedUri"],
  [logTags.metrics, "metrics"],
  [logTags.messages, "messages"],
]);
const requestHeaderFields = new Map<string, TextField>([
  [peerHeader, "peer"],
  ["traceparent", "traceparent"],
  ["content-type", "contentType"],
]);
const responseHeaderFields = new Map<string, TextField>([["grpc-status", "grpcStatus"]]);
