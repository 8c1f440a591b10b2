import { Page } from "../../components/ui/page-header.tsx";
import { Panel } from "../../components/ui/panel.tsx";
import { KpiSkeleton, SkeletonBlock, TableSkeleton } from "../../components/ui/skeletons.tsx";

export default function Loading() {
  return (
    <Page>
      <div style={{ height: 32, marginBottom: 16, paddingTop: 6 }}>
        <SkeletonBlock width={180} height={20} />
      </div>
      <div style={{ height: 47, marginBottom: 18 }}>
        <KpiSkeleton count={4} />
      </div>
      <Panel flush>
        <TableSkeleton rows={7} columns={8} rowHeight={53} />
      </Panel>
    </Page>
  );
}
