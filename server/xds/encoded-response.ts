import { writeVarint } from "../lib/varint.ts";
import type { Protocol, Push } from "./exchange.ts";
import { timedAmong } from "./lifetimes.ts";
import { encodeTimed, wrapperTypeUrl } from "./timed-resource.ts";
import type { Resource } from "./types.ts";

/** A response in parts: each resource's bytes are those that every other response holds as well, and are not copied. */
export class EncodedResponse {
  readonly byteLength: number;
  readonly parts: readonly Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.byteLength = parts.reduce((sum, part) => sum + part.length, 0);
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.parts, this.byteLength);
  }
}

/** A DeltaDiscoveryResponse or DiscoveryResponse: https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/discovery/v3/discovery.proto `keepsTime`: the client drops what has a time and is not heard of. */
export function encodeResponse(
  protocol: Protocol,
  typeUrl: string,
  push: Push,
  revision: number,
  keepsTime = false,
): EncodedResponse {
  const fields: number[] = [];
  const isDelta = protocol === "delta";
  // Field numbers differ: version 1 in both, type URL 4, nonce 5, control plane 7 and 6, removed 6 in the incremental one only.
  text(fields, 1, isDelta ? String(revision) : push.version);
  text(fields, 4, typeUrl);
  text(fields, 5, push.nonce);
  if (isDelta) for (const name of push.removed) text(fields, 6, name);
  bytes(fields, isDelta ? 7 : 6, controlPlane);
  const heartbeats = push.heartbeats ?? [];
  const isTimed = keepsTime && heartbeats.length + timedAmong(push.resources).length > 0;
  const body = isTimed ? timedBody(isDelta, typeUrl, push) : bodyOf(isDelta, typeUrl, push.resources);
  return new EncodedResponse([Uint8Array.from(fields), ...body]);
}

/** Few have a time: nothing of it is shared. */
function timedBody(isDelta: boolean, typeUrl: string, push: Push): Uint8Array[] {
  const timedParts = (resource: Resource, hasBody: boolean): Uint8Array[] => {
    const value = encodeTimed(typeUrl, resource, hasBody);
    const any = isDelta ? [] : anyHead(wrapperTypeUrl, value.length);
    return [Uint8Array.from([...prefix(2, any.length + value.length), ...any]), value];
  };
  const plainParts = (resource: Resource): Uint8Array[] => [
    isDelta ? deltaHead(typeUrl, resource) : sotwHead(typeUrl, resource),
    resource.value,
  ];
  return [
    ...push.resources.flatMap((it) => (it.ttlMs === undefined ? plainParts(it) : timedParts(it, true))),
    ...(push.heartbeats ?? []).flatMap((it) => timedParts(it, false)),
  ];
}

/** By the list of resources, where it is the same for many clients: undefined the first time, joined from the second on. */
const deltaBodies = new WeakMap<readonly Resource[], Uint8Array | undefined>();
const sotwBodies = new WeakMap<readonly Resource[], Uint8Array | undefined>();

function bodyOf(isDelta: boolean, typeUrl: string, resources: readonly Resource[]): readonly Uint8Array[] {
  if (resources.length === 0) return [];
  const bodies = isDelta ? deltaBodies : sotwBodies;
  const known = bodies.get(resources);
  if (known) return [known];
  const parts: Uint8Array[] = [];
  const heads = isDelta ? deltaHeads : sotwHeads;
  for (const resource of resources) {
    let head = heads.get(resource);
    if (!head) {
      head = isDelta ? deltaHead(typeUrl, resource) : sotwHead(typeUrl, resource);
      heads.set(resource, head);
    }
    parts.push(head, resource.value);
  }
  const joined = bodies.has(resources) ? Buffer.concat(parts) : undefined;
  bodies.set(resources, joined);
  return joined ? [joined] : parts;
}

/** What stands before a resource's own bytes, which come last. A resource is of one type only. */
const deltaHeads = new WeakMap<Resource, Uint8Array>();
const sotwHeads = new WeakMap<Resource, Uint8Array>();

/** Field 2 of either response: an Any whose value follows. */
function sotwHead(typeUrl: string, { value }: Resource): Uint8Array {
  const any = anyHead(typeUrl, value.length);
  return Uint8Array.from([...prefix(2, any.length + value.length), ...any]);
}

/** Field 2: a Resource with name (3), version (1) and, last, the Any (2). */
function deltaHead(typeUrl: string, { name, version, value }: Resource): Uint8Array {
  const inner: number[] = [];
  text(inner, 3, name);
  text(inner, 1, version);
  const any = anyHead(typeUrl, value.length);
  inner.push(...prefix(2, any.length + value.length), ...any);
  return Uint8Array.from([...prefix(2, inner.length + value.length), ...inner]);
}

function anyHead(typeUrl: string, valueLength: number): number[] {
  const head: number[] = [];
  text(head, 1, typeUrl);
  // An empty message is written too: its field of no length changes nothing.
  head.push(...prefix(2, valueLength));
  return head;
}

/** Key and length of a length-delimited field. https://protobuf.dev/programming-guides/encoding/ */
function prefix(field: number, length: number): number[] {
  const out: number[] = [];
  writeVarint(out, (field << 3) | 2);
  writeVarint(out, length);
  return out;
}

function bytes(out: number[], field: number, value: Uint8Array): void {
  for (const byte of prefix(field, value.length)) out.push(byte);
  for (const byte of value) out.push(byte);
}

const encoder = new TextEncoder();

function text(out: number[], field: number, value: string): void {
  if (value !== "") bytes(out, field, encoder.encode(value));
}

/** ControlPlane { identifier: "limpid" } */
const controlPlane = (() => {
  const out: number[] = [];
  text(out, 1, "limpid");
  return Uint8Array.from(out);
})();
