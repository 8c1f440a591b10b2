import { Page } from "../../components/ui/page-header.tsx";
import { Panel } from "../../components/ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../../components/ui/skeletons.tsx";

export default function Loading() {
  return (
    <Page>
      <div style={{ height: 32, marginBottom: 16, paddingTop: 6 }}>
        <SkeletonBlock width={160} height={20} />
      </div>
      <Panel flush>
        <TableSkeleton rows={2} columns={5} rowHeight={51} />
      </Panel>
    </Page>
  );
}
