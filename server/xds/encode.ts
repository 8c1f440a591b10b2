import { hash } from "node:crypto";
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { ResourceKind } from "./resource-kinds.ts";
import type { Resource, ResourceMap } from "./types.ts";

/** A message is encoded once, however many proxies hold it; a map of them likewise. Identity is the key. */
const encodedMessages = new WeakMap<object, Resource[]>();
const encodedMaps = new WeakMap<object, ResourceMap>();

export function encodeAll<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  messages: ReadonlyMap<string, MessageShape<Desc>>,
): ResourceMap {
  const known = encodedMaps.get(messages);
  if (known) return known;
  const resources = new Map<string, Resource>();
  for (const [name, message] of messages) resources.set(name, encode(kind, name, message));
  encodedMaps.set(messages, resources);
  return resources;
}

function encode<Desc extends DescMessage>(
  kind: ResourceKind<Desc>,
  name: string,
  message: MessageShape<Desc>,
): Resource {
  // Nearly always one; a virtual host may stand in several route configurations.
  const known = encodedMessages.get(message) ?? [];
  const same = known.find((resource) => resource.name === name);
  if (same) return same;
  const value = kind.toBinary(message, name);
  const requires = kind.requires(message, name);
  const resource: Resource = { name, version: versionOf(value), value, ...(requires.length > 0 && { requires }) };
  encodedMessages.set(message, [...known, resource]);
  return resource;
}

/** Equal content, equal version, in every process. */
export const versionOf = (content: Uint8Array | string): string => hash("sha1", content, "hex").slice(0, 16);
