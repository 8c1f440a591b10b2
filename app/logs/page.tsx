import type { Metadata } from "next";
import { Suspense } from "react";
import { logQuery } from "../../components/logs/log-query.ts";
import { LogsPage } from "../../components/logs/logs-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("logs.title") });

export default async function Logs(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const asked = await props.searchParams;
  const query = logQuery((name) => [asked[name]].flat().at(-1));
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <LogsPage initialQuery={query} logs={settle(dashboard.logs(Object.fromEntries(new URLSearchParams(query))))} />
    </Suspense>
  );
}
