import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { type Attachment, attachmentOf } from "./policy-attachment.ts";
import { olderFirst } from "./service.ts";
import type { JWTRule, RequestAuthenticationSpec } from "./specs.ts";

export interface RequestAuthentication {
  readonly name: string;
  readonly attachment: Attachment;
  readonly rules: readonly JWTRule[];
}

/** Oldest first, by namespace. */
export type RequestAuthenticationIndex = ReadonlyMap<string, readonly RequestAuthentication[]>;

export const indexRequestAuthentications = (objects: Iterable<ConfigObject>): RequestAuthenticationIndex =>
  Map.groupBy([...objects].sort(olderFirst).map(resolve), ({ attachment }) => attachment.namespace);

const resolve = (object: ConfigObject): RequestAuthentication =>
  memo(object, "request-authentication", [], () => {
    const spec = object.spec as RequestAuthenticationSpec;
    const { namespace, name } = object.metadata;
    return { name, attachment: attachmentOf(namespace, spec), rules: spec.jwtRules ?? [] };
  });
