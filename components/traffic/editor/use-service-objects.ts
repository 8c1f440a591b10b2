"use client";
import { z } from "zod";
import { ConfigDocuments } from "../../config/config-queries.ts";
import { getJson, type Settled } from "../../lib/api.ts";
import { type Live, useLive } from "../../lib/live.ts";

/** `GET /api/services/{namespace}/{hostname}/objects`: what rules its traffic, as it is stored, and the gateways that there are. */
const ServiceObjects = ConfigDocuments.extend({ gateways: z.array(z.string()) });
export type ServiceObjects = z.infer<typeof ServiceObjects>;

/** `initial`: what the server has read for the first paint. */
export const useServiceObjects = (
  namespace: string,
  hostname: string,
  initial: Settled<ServiceObjects> | undefined,
): Live<ServiceObjects> =>
  useLive({
    // An apply has everything read again that begins so.
    queryKey: ["objects", "of", namespace, hostname],
    read: (signal) =>
      getJson(
        ServiceObjects,
        `/api/services/${encodeURIComponent(namespace)}/${encodeURIComponent(hostname)}/objects`,
        signal,
      ),
    everyMs: 3000,
    initial,
  });
