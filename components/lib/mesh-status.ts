"use client";
import { MeshStatus } from "../../server/contract/index.ts";
import { getJson, type Settled } from "./api.ts";
import { type Live, useLive } from "./live.ts";

/** What stands around every page. In a file of its own: what other questions need is not loaded with every page. */
export const useMeshStatus = (initial?: Settled<MeshStatus> | undefined): Live<MeshStatus> =>
  useLive({
    queryKey: ["status"],
    read: (signal) => getJson(MeshStatus, "/api/status", signal),
    everyMs: 2000,
    initial,
  });
