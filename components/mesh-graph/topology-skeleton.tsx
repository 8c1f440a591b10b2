import { SkeletonBlock } from "../ui/skeletons.tsx";
import styles from "./topology.module.css";
import skeleton from "./topology-skeleton.module.css";

/** The places of toolbar, rings and strip. */
export function TopologySkeleton() {
  const rings = [
    [12, 50],
    [30, 50],
    [48, 50],
    [66, 24],
    [66, 46],
    [66, 68],
    [84, 58],
  ];
  return (
    <div className={styles.page} aria-hidden>
      <div className={styles.stage}>
        {rings.map(([left, top]) => (
          <i key={`${left}/${top}`} className={skeleton.ring} style={{ left: `${left}%`, top: `${top}%` }} />
        ))}
      </div>
      <div className={skeleton.strip}>
        <SkeletonBlock height={30} />
      </div>
    </div>
  );
}
