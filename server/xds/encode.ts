import { hash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { memo } from "../lib/memo.ts";
import { mappedEntries } from "../lib/lineage.ts";
import type { ResourceKind } from "./resource-kinds.ts";
import type { Resource, ResourceMap } from "./types.ts";

/** A message is encoded once, however many proxies hold it; a map of them likewise. Identity is the key. */
const encodedMessages = new WeakMap<object, Resource[]>();

/** `ttls`: by name, in milliseconds; always the same ones for the same map. */
export function encodeAll<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  messages: ReadonlyMap<string, MessageShape<Desc>>,
  ttls?: ReadonlyMap<string, number>,
): ResourceMap {
  if (!ttls || ttls.size === 0) {
    return mappedEntries(messages, `encoded ${kind.shortName}`, (message, name) =>
      encode(kind, name, message, undefined),
    );
  }
  return memo(messages, "encoded with times", [ttls], () => {
    const all = Array.from(messages, ([name, message]) => encode(kind, name, message, ttls.get(name)));
    return new Map(all.map((resource) => [resource.name, resource]));
  });
}

function encode<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  name: string,
  message: MessageShape<Desc>,
  ttlMs: number | undefined,
): Resource {
  // Nearly always one; a virtual host may stand in several route configurations.
  const known = encodedMessages.get(message) ?? [];
  const same = known.find((resource) => resource.name === name && resource.ttlMs === ttlMs);
  if (same) return same;
  const value = kind.toBinary(message, name);
  const requires = kind.requires(message, name);
  const version = ttlMs === undefined ? versionOf(value) : `${versionOf(value)}-${ttlMs}`;
  const resource: Resource = {
    name,
    version,
    value,
    ...(requires.length > 0 && { requires }),
    ...(ttlMs !== undefined && { ttlMs }),
  };
  encodedMessages.set(message, [...known, resource]);
  return resource;
}

/** Equal content, equal version, in every process. */
export const versionOf = (content: Uint8Array | string): string => hash("sha1", content, "hex").slice(0, 16);
