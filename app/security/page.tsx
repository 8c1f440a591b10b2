import type { Metadata } from "next";
import { Suspense } from "react";
import { SecurityPage } from "../../components/security/security-page.tsx";
import { securityWindowSec } from "../../components/security/security-window.ts";
import { parseRange, type RangeQuery } from "../../components/ui/time-range.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({
  title: (await getTranslations())("security.title"),
});

export default async function Security({ searchParams }: { searchParams: Promise<RangeQuery & { tab?: string }> }) {
  const query = await searchParams;
  const range = parseRange((name) => query[name], securityWindowSec);
  const asked = { window: String(range.windowSec), ...(range.at !== null && { at: String(range.at) }) };
  const initial = query.tab === undefined ? settle((await getDashboard()).mutualTls(asked)) : null;
  return (
    <Suspense fallback={<Loading />}>
      <SecurityPage initial={initial} initialRange={range} />
    </Suspense>
  );
}
