import type { Metadata } from "next";
import { Suspense } from "react";
import { TopologyPage } from "../../components/mesh-graph/topology-page.tsx";
import { TopologySkeleton } from "../../components/mesh-graph/topology-skeleton.tsx";
import { parseWindow } from "../../components/ui/time-window.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("topology.title") });

interface Query {
  window?: string;
  at?: string;
  view?: string;
}

export default async function Topology({ searchParams }: { searchParams: Promise<Query> }) {
  const query = await searchParams;
  const windowSec = parseWindow(query.window);
  const at = /^\d{10,15}$/.test(query.at ?? "") ? Number(query.at) : null;
  const dashboard = await getDashboard();
  const graph = settle(dashboard.graph({ windowSec, ...(at === null ? {} : { at }) }));
  const changes = settle(dashboard.changes({ sinceMs: Date.now() - 3_600_000, limit: 100 }));
  return (
    <Suspense fallback={<TopologySkeleton list={query.view === "list"} />}>
      <TopologyPage graph={graph} changes={changes} initialWindowSec={windowSec} initialAt={at} />
    </Suspense>
  );
}
