import { Page } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { KpiSkeleton, SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import styles from "./overview.module.css";

/** The page's places at their final size. */
export function OverviewSkeleton() {
  return (
    <Page>
      <div className={styles.heading}>
        <SkeletonBlock width={180} height={20} />
      </div>
      <div className={styles.figures}>
        <KpiSkeleton count={5} />
      </div>
      <div className={styles.grid}>
        <div className={styles.column}>
          <Panel flush>
            <div className={styles.panelHeader} />
            <TableSkeleton rows={4} columns={4} />
          </Panel>
          <Panel>
            <SkeletonBlock height={260} />
          </Panel>
        </div>
        <div className={styles.column}>
          <Panel>
            <SkeletonBlock height={150} />
          </Panel>
          <Panel>
            <SkeletonBlock height={180} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}
