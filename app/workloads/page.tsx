import type { Metadata } from "next";
import { Suspense } from "react";
import { askedFor, parseRange, type RangeQuery } from "../../components/ui/time-range.ts";
import { WorkloadsPage } from "../../components/workloads/workloads-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({
  title: (await getTranslations())("workloads.title"),
});

export default async function Workloads({ searchParams }: { searchParams: Promise<RangeQuery> }) {
  const query = await searchParams;
  const range = parseRange((name) => query[name]);
  const workloads = settle((await getDashboard()).workloads(askedFor(range)));
  return (
    <Suspense fallback={<Loading />}>
      <WorkloadsPage initial={workloads} initialRange={range} />
    </Suspense>
  );
}
