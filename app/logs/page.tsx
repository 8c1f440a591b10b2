import type { Metadata } from "next";
import { Suspense } from "react";
import { applicationQuery } from "../../components/logs/application-query.ts";
import { logQuery } from "../../components/logs/log-query.ts";
import { LogsPage } from "../../components/logs/logs-page.tsx";
import { ApplicationLogSearch } from "../../server/contract/index.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("logs.title") });

export default async function Logs(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const asked = await props.searchParams;
  const get = (name: string) => [asked[name]].flat().at(-1);
  const isApplications = get("show") === "applications";
  const query = isApplications ? applicationQuery(get) : logQuery(get);
  const fields = Object.fromEntries(new URLSearchParams(query));
  const search = ApplicationLogSearch.safeParse(fields).data;
  const dashboard = await getDashboard();
  const nothing = Promise.resolve(undefined);
  return (
    <Suspense fallback={<Loading />}>
      <LogsPage
        initialQuery={query}
        logs={isApplications ? nothing : settle(dashboard.logs(fields))}
        applications={isApplications && search ? settle(dashboard.applicationLogs(search)) : nothing}
      />
    </Suspense>
  );
}
