import type { Metadata } from "next";
import { Suspense } from "react";
import { ExplainPage } from "../../components/explain/explain-page.tsx";
import { explainQuery } from "../../components/explain/explain-query.ts";
import { ExplainQuery } from "../../server/contract/index.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("explain.title") });

export default async function Explain(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const asked = await props.searchParams;
  const query = explainQuery((name) => [asked[name]].flat().at(-1));
  const { data } = ExplainQuery.safeParse(query ?? {});
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      {/* Of a question that makes no sense the API says so. */}
      <ExplainPage initial={data ? settle(dashboard.explain(data)) : Promise.resolve(undefined)} initialQuery={query} />
    </Suspense>
  );
}
