import type { Metadata } from "next";
import { Suspense } from "react";
import type { FirstReports } from "../../components/security/first-reports.ts";
import { namedBy, securityWindowSec, tabOf, wholeMeshTarget } from "../../components/security/security-address.ts";
import { SecurityPage } from "../../components/security/security-page.tsx";
import { parseRange, type RangeQuery } from "../../components/ui/time-range.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({
  title: (await getTranslations())("security.title"),
});

type Asked = RangeQuery & { tab?: string; strict?: string; of?: string; identity?: string };

/** Of what stands in the address more than once the first counts, as it does in the browser. */
const firstOfEach = (query: Record<string, string | string[] | undefined>): Asked =>
  Object.fromEntries(Object.entries(query).map(([name, value]) => [name, [value].flat().at(0)]));

export default async function Security(props: {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}) {
  const query = firstOfEach(await props.searchParams);
  const range = parseRange((name) => query[name], securityWindowSec);
  const { strict = null, of = null, identity = null } = query;
  return (
    <Suspense fallback={<Loading />}>
      <SecurityPage initial={await readFirst(query)} initialRange={range} initialTargets={{ strict, of, identity }} />
    </Suspense>
  );
}

/** What of the address shows at once. */
async function readFirst(query: Asked): Promise<FirstReports> {
  const dashboard = await getDashboard();
  const { windowSec, at } = parseRange((name) => query[name], securityWindowSec);
  const asked = { window: String(windowSec), ...(at !== null && { at: String(at) }) };
  const { strict, of = wholeMeshTarget, identity } = query;
  switch (tabOf(query.tab)) {
    case "mutual-tls":
      return {
        mutualTls: settle(dashboard.mutualTls(asked)),
        trend: settle(dashboard.mutualTlsTrend({ ...namedBy(of), ...asked })),
        ...(strict && { strict: settle(dashboard.strictPreview({ ...namedBy(strict), ...asked })) }),
      };
    case "coverage":
      return { coverage: settle(dashboard.coverage(asked)) };
    case "refusals":
      return { refusals: settle(dashboard.refusals(asked)), policies: settle(dashboard.policyEffects(asked)) };
    case "certificates":
      return {
        certificates: settle(dashboard.certificateReport()),
        ...(identity && {
          revocation: settle(dashboard.revocationPreview({ identity, window: String(securityWindowSec) })),
        }),
      };
  }
}
