import type { Metadata } from "next";
import { Suspense } from "react";
import { HistoryPage } from "../../components/history/history-page.tsx";
import { historyQuery } from "../../components/history/history-query.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("history.title") });

const limit = 50;

export default async function History(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const searched = await props.searchParams;
  const query = historyQuery((name) => [searched[name]].flat().at(-1), limit);
  const { since = "0", until, author, type, object } = query;
  const changes = (await getDashboard()).changes({
    sinceMs: Number(since),
    limit,
    ...(until && { untilMs: Number(until) }),
    ...(author && { author }),
    ...(object && { object }),
    ...(type && { type: type as "config" }),
  });
  return (
    <Suspense fallback={<Loading />}>
      <HistoryPage initial={settle(changes)} initialQuery={query} />
    </Suspense>
  );
}
