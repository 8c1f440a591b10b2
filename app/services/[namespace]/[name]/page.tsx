import type { Metadata } from "next";
import { Suspense } from "react";
import { ServicePage } from "../../../../components/service/service-page.tsx";
import { serviceWindow } from "../../../../components/service/service-window.ts";
import { parseWindow } from "../../../../components/ui/time-window.ts";
import { getDashboard } from "../../../../server/next.ts";
import { settle } from "../../../settle.ts";
import Loading from "./loading.tsx";

interface Props {
  params: Promise<{ namespace: string; name: string }>;
  searchParams: Promise<{ window?: string }>;
}

const decoded = async ({ params }: Props) => {
  const { namespace, name } = await params;
  return { namespace: decodeURIComponent(namespace), name: decodeURIComponent(name) };
};

export const generateMetadata = async (props: Props): Promise<Metadata> => ({ title: (await decoded(props)).name });

export default async function Service(props: Props) {
  const service = await decoded(props);
  const windowSec = parseWindow((await props.searchParams).window ?? serviceWindow);
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ServicePage
        key={`${service.namespace}/${service.name}`}
        service={service}
        initialWindowSec={windowSec}
        services={settle(dashboard.services({ windowSec }))}
        metrics={settle(dashboard.serviceMetrics({ ...service, windowSec }))}
        routing={settle(dashboard.routing(service))}
      />
    </Suspense>
  );
}
