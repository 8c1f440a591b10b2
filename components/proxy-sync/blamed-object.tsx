"use client";
import { withoutFilledIn } from "../../server/contract/index.ts";
import { blamedPlace } from "../../server/wire/yaml-place.ts";
import { useObject } from "../config/config-queries.ts";
import { objectHref } from "../lib/links.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import type { ConfigOrigin } from "./sync-state.ts";

/** An object that a proxy refuses, and the line of it when the proxy quotes what stands there. */
export function BlamedObject({ origin, detail, className = "link" }: Props) {
  const { kind, namespace, name } = origin;
  const { data } = useObject(origin);
  const place = data ? blamedPlace(withoutFilledIn(data.yaml), detail) : null;
  return (
    <ObjectLink className={className} href={objectHref(kind, namespace, name, place?.line)}>
      {kind} {namespace && `${namespace}/`}
      {name}
      {place && (
        <>
          {" "}
          <code>{place.path}</code>
        </>
      )}
    </ObjectLink>
  );
}

interface Props {
  origin: ConfigOrigin;
  /** The proxy's own words. */
  detail: string;
  className?: string;
}
