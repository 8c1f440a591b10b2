import type { Metadata } from "next";
import { Suspense } from "react";
import { traceSearch } from "../../components/trace/trace-search.ts";
import { TracesPage } from "../../components/trace/traces-page.tsx";
import { TraceSearch } from "../../server/contract/index.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("traces.title") });

export default async function Traces({ searchParams }: { searchParams: Promise<Record<string, string | string[]>> }) {
  const params = await searchParams;
  const search = traceSearch((name) => [params[name] ?? []].flat().at(0));
  const dashboard = await getDashboard();
  const { data } = TraceSearch.safeParse(search);
  return (
    <Suspense fallback={<Loading />}>
      {/* Of a search that makes no sense the API says so. */}
      <TracesPage traces={data ? settle(dashboard.traces(data)) : Promise.resolve(undefined)} initialSearch={search} />
    </Suspense>
  );
}
