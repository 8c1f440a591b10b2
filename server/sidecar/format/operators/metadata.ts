import type { JsonValue } from "@bufbuild/protobuf";
import type { Metadata, RequestRecord } from "../../record.ts";
import { needs, type Operator, type OperatorMaker, type Operators, sorted } from "./operator.ts";

type Source = (record: RequestRecord) => Metadata | undefined;

const sources: Record<string, Source | undefined> = {
  DYNAMIC: ({ dynamicMetadata }) => dynamicMetadata,
  CLUSTER: ({ clusterMetadata }) => clusterMetadata,
  ROUTE: ({ routeMetadata }) => routeMetadata,
  UPSTREAM_HOST: ({ upstreamHostMetadata }) => upstreamHostMetadata,
  LISTENER: ({ place }) => place?.listenerMetadata,
  LISTENER_FILTER_CHAIN: ({ place }) => place?.chainMetadata,
  VIRTUAL_HOST: ({ virtualHostMetadata }) => virtualHostMetadata,
};

/** `namespace:key:…` */
function at(source: Source, argument: string): Operator {
  const [namespace = "", ...path] = argument.split(":");
  return (record) => {
    let value: unknown = source(record)?.[namespace];
    for (const segment of path) {
      if (value === null || typeof value !== "object" || Array.isArray(value)) return undefined;
      value = (value as Record<string, unknown>)[segment];
    }
    return value === undefined || value === null ? undefined : sorted(value as JsonValue);
  };
}

const of = (kind: string): OperatorMaker => {
  const source = sources[kind];
  return needs((argument) => source && at(source, argument));
};

/** `KIND:namespace:key:…` */
const anyKind = needs((argument) => {
  const [kind = ""] = argument.split(":", 1);
  const source = sources[kind];
  return source && at(source, argument.slice(kind.length + 1));
});

/** `key[:PLAIN|:TYPED|:FIELD:name]` */
const filterState = needs((argument) => {
  const [key = "", form = "TYPED", field] = argument.split(":");
  if (key === "" || (form === "FIELD") !== (field !== undefined)) return undefined;
  switch (form) {
    case "TYPED":
      // Envoy's two ways to write a message: with the names of its fields, and with those of JSON.
      return Object.assign<Operator, Pick<Operator, "inText">>(({ filterState: states }) => states?.[key]?.fields(), {
        inText: ({ filterState: states }) => {
          const state = states?.[key];
          return state && JSON.stringify(state.json());
        },
      });
    case "PLAIN":
      return ({ filterState: states }) => states?.[key]?.text();
    // Nothing that is kept here has fields of its own.
    case "FIELD":
      return () => undefined;
    default:
      return undefined;
  }
});

export const metadataOperators: Operators = {
  METADATA: anyKind,
  DYNAMIC_METADATA: of("DYNAMIC"),
  CLUSTER_METADATA: of("CLUSTER"),
  UPSTREAM_METADATA: of("UPSTREAM_HOST"),
  FILTER_STATE: filterState,
  // Nothing here shares any with its upstream.
  UPSTREAM_FILTER_STATE: needs(() => () => undefined),
};
