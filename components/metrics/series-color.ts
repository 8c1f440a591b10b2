const colors = ["var(--v1)", "var(--v2)", "var(--v3)", "var(--v4)", "var(--v5)", "var(--v6)", "var(--v7)", "var(--v8)"];

/** Of the line at a place in a chart; past the eighth they are told apart by the table. */
export const seriesColor = (index: number): string => colors[index] ?? "var(--ink-3)";
