import { getJoined } from "../http/headers.ts";
import type { Metadata } from "../record.ts";

/** What routing looks at. */
export interface RequestView {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
  /** Flat [name, value, …] in lower case. */
  readonly headers: readonly string[];
  /** What filters have found out so far. */
  readonly dynamicMetadata?: Metadata | undefined;
  readonly routeMetadata?: Metadata | undefined;
}

/** A header or pseudo-header by its lower-case name; repeated ones joined with a comma. */
export function viewHeader(view: RequestView, name: string): string | undefined {
  switch (name) {
    case ":method":
      return view.method;
    case ":path":
      return view.path;
    case ":scheme":
      return view.scheme;
    case ":authority":
    case "host":
      return view.authority;
    default:
      return getJoined(view.headers, name);
  }
}
