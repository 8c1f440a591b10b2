import { TrafficSkeleton } from "../../../../components/traffic/traffic-tab.tsx";
import { Page } from "../../../../components/ui/page-header.tsx";
import { SkeletonBlock } from "../../../../components/ui/skeletons.tsx";

export default function Loading() {
  return (
    <Page>
      <div style={{ height: 32, marginBottom: 16, paddingTop: 6 }}>
        <SkeletonBlock width={220} height={20} />
      </div>
      <div style={{ height: 41, marginBottom: 16, borderBottom: "1px solid var(--line)" }} />
      <TrafficSkeleton />
    </Page>
  );
}
