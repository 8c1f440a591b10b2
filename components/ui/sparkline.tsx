import styles from "./sparkline.module.css";

export interface SparklineProps {
  values: readonly (number | null)[];
  /** A CSS colour. */
  color: string;
  width?: number;
  height?: number;
  /** Top of the scale; the largest value when absent. */
  max?: number;
  fill?: boolean;
  label: string;
}

/** A small line without axes; gaps where a value is null, a dot for one that stands alone. */
export function Sparkline({ values, color, width = 120, height = 24, max, fill = false, label }: SparklineProps) {
  const path = linePath(values, width, height, max);
  return (
    <svg
      className={styles.spark}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      {fill && <path d={areaUnder(path, height)} fill={color} opacity={0.12} />}
      <path
        d={path}
        fill="none"
        stroke={color}
        strokeWidth={1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

/** What lies between a line and the ground, under each of its parts; nothing where there is no line. */
export const areaUnder = (line: string, height: number): string =>
  line
    .split("M")
    .filter(Boolean)
    .map((part) => {
      const places = part.split("L").map((point) => point.split(",")[0]);
      return `M${part}L${places.at(-1)},${height}L${places[0]},${height}Z`;
    })
    .join("");

export function linePath(values: readonly (number | null)[], width: number, height: number, max?: number): string {
  const top = max ?? Math.max(0, ...values.map((value) => value ?? 0));
  let pen = "M";
  let path = "";
  values.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = values.length > 1 ? (i * width) / (values.length - 1) : width;
    const y = height - 2 - (top > 0 ? Math.min(1, value / top) : 0) * (height - 4);
    path += `${pen}${x.toFixed(1)},${y.toFixed(1)}`;
    if (pen === "M" && (values[i + 1] ?? null) === null) path += "h0";
    pen = "L";
  });
  return path;
}
