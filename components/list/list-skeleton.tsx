import type { ReactNode } from "react";
import { Page } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import styles from "./list-skeleton.module.css";

export interface ListSkeletonProps {
  rows: number;
  columns: number;
  rowHeight?: number;
  /** Between title and table. */
  before?: ReactNode;
}

/** The place of a page that is a title and a table, at its final size. */
export function ListSkeleton({ before, ...table }: ListSkeletonProps) {
  return (
    <Page>
      <div className={styles.title}>
        <SkeletonBlock width={180} height={20} />
      </div>
      {before}
      <Panel flush>
        <TableSkeleton {...table} />
      </Panel>
    </Page>
  );
}
