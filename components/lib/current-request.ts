"use client";
import { useEffect } from "react";
import type { ExplainedRequest } from "./links.ts";

let current: ExplainedRequest | undefined;

/** The request that the page shows the details of, for the palette: it can be asked about there. */
export const currentRequest = (): ExplainedRequest | undefined => current;

/** Says so while the details are shown. */
export function useCurrentRequest(request: ExplainedRequest | undefined): void {
  const key = request && JSON.stringify(request);
  useEffect(() => {
    if (key === undefined) return;
    const mine = JSON.parse(key) as ExplainedRequest;
    current = mine;
    return () => {
      if (current === mine) current = undefined;
    };
  }, [key]);
}
