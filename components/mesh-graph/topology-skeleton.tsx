import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import styles from "./topology.module.css";
import skeleton from "./topology-skeleton.module.css";

/** The places of what is on the stage, and of the strip. */
export function TopologySkeleton({ list = false }: { list?: boolean }) {
  return (
    <div className={styles.page} aria-hidden>
      <div className={styles.stage}>{list ? <ListViewSkeleton /> : <Rings />}</div>
      <div className={skeleton.strip}>
        <SkeletonBlock height={30} />
      </div>
    </div>
  );
}

function Rings() {
  const rings = [
    [12, 50],
    [30, 50],
    [48, 50],
    [66, 24],
    [66, 46],
    [66, 68],
    [84, 58],
  ];
  return rings.map(([left, top]) => (
    <i key={`${left}/${top}`} className={skeleton.ring} style={{ left: `${left}%`, top: `${top}%` }} />
  ));
}

export function ListViewSkeleton() {
  return (
    <div className={styles.list} aria-hidden>
      {[7, 8].map((columns) => (
        <Panel key={columns} flush>
          <div className={skeleton.title}>
            <SkeletonBlock width={96} />
          </div>
          <TableSkeleton rows={8} columns={columns} rowHeight={38} />
        </Panel>
      ))}
    </div>
  );
}
