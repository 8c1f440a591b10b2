import type { Metadata } from "next";
import { Suspense } from "react";
import { ServicePage } from "../../../../components/service/service-page.tsx";
import { serviceWindowSec } from "../../../../components/service/service-window.ts";
import { askedFor, parseRange, type RangeQuery } from "../../../../components/ui/time-range.ts";
import { getDashboard } from "../../../../server/next.ts";
import { settle } from "../../../settle.ts";
import Loading from "./loading.tsx";

interface Props {
  params: Promise<{ namespace: string; name: string }>;
  searchParams: Promise<RangeQuery & { tab?: string; thresholds?: string; edit?: string }>;
}

const decoded = async ({ params }: Props) => {
  const { namespace, name } = await params;
  return { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) };
};

export const generateMetadata = async (props: Props): Promise<Metadata> => ({ title: (await decoded(props)).name });

export default async function Service(props: Props) {
  const service = await decoded(props);
  const query = await props.searchParams;
  const range = parseRange((name) => query[name], serviceWindowSec);
  const asked = askedFor(range);
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ServicePage
        key={`${service.namespace}/${service.name}`}
        service={service}
        initialRange={range}
        services={settle(dashboard.services(asked))}
        metrics={settle(dashboard.serviceMetrics({ ...service, ...asked }))}
        routing={settle(dashboard.routing(service))}
        objects={query.edit === undefined ? undefined : settle(dashboard.serviceObjects(service))}
        saturation={
          query.tab === "metrics"
            ? settle(dashboard.saturation(range.at === null ? {} : { at: String(range.at) }))
            : null
        }
        thresholds={query.thresholds === "edit" ? settle(dashboard.thresholds(service)) : null}
      />
    </Suspense>
  );
}
