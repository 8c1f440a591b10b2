import type { Metadata } from "next";
import { Suspense } from "react";
import { TopologyPage } from "../../components/mesh-graph/topology-page.tsx";
import { TopologySkeleton } from "../../components/mesh-graph/topology-skeleton.tsx";
import { askedFor, parseRange, type RangeQuery } from "../../components/ui/time-range.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("topology.title") });

interface Query extends RangeQuery {
  view?: string;
}

export default async function Topology({ searchParams }: { searchParams: Promise<Query> }) {
  const query = await searchParams;
  // A moment within a fixed stretch is asked for as any other.
  const range = parseRange((name) => ((name === "from" || name === "to") && query.at ? null : query[name]));
  const dashboard = await getDashboard();
  const graph = settle(dashboard.graph(askedFor(range)));
  const changes = settle(dashboard.changes({ sinceMs: Date.now() - 3_600_000, limit: 100 }));
  return (
    <Suspense fallback={<TopologySkeleton list={query.view === "list"} />}>
      <TopologyPage graph={graph} changes={changes} initialRange={range} />
    </Suspense>
  );
}
