import styles from "./skeletons.module.css";

/** A quiet block at the size of what is coming. Width and height are CSS lengths or pixels. */
export function SkeletonBlock({ width = "100%", height = 14 }: { width?: number | string; height?: number | string }) {
  return <span className={styles.block} style={{ width, height }} aria-hidden />;
}

/** A table's place: one header line and `rows` rows of the table's row height. */
export function TableSkeleton({
  rows,
  columns,
  rowHeight = 41,
}: {
  rows: number;
  columns: number;
  rowHeight?: number;
}) {
  return (
    <div aria-hidden className={styles.table}>
      {Array.from({ length: rows + 1 }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a skeleton has nothing but its places
        <div key={row} className={styles.row} style={{ height: row === 0 ? 35 : rowHeight }}>
          {Array.from({ length: columns }, (_, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a skeleton has nothing but its places
            <SkeletonBlock key={column} width={column === 0 ? "60%" : "40%"} height={row === 0 ? 8 : 12} />
          ))}
        </div>
      ))}
    </div>
  );
}

export function KpiSkeleton({ count }: { count: number }) {
  return (
    <div aria-hidden className={styles.kpis}>
      {Array.from({ length: count }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a skeleton has nothing but its places
        <div key={i}>
          <SkeletonBlock width={64} height={27} />
          <SkeletonBlock width={48} height={10} />
        </div>
      ))}
    </div>
  );
}
