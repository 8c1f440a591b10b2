/** A Kubernetes Table, as much of it as is printed. */
export interface Table {
  metadata?: { resourceVersion?: string };
  columnDefinitions: { name: string; priority: number }[];
  rows: { cells: unknown[]; object?: { metadata?: { name?: string; namespace?: string; resourceVersion?: string } } }[];
}

export interface TablePrinter {
  /** Lines of the rows, each ended; the first call has the heads before them. */
  print(table: Table): string;
}

/** Columns keep the width of the first call, so that a watch stays aligned. */
export function createTablePrinter(options: { wide: boolean; namespaces: boolean }): TablePrinter {
  let widths: number[] | undefined;
  return {
    print(table) {
      const shown = table.columnDefinitions.flatMap((column, index) =>
        column.priority === 0 || options.wide ? [index] : [],
      );
      const lines = table.rows.map((row) => [
        ...(options.namespaces ? [row.object?.metadata?.namespace ?? ""] : []),
        ...shown.map((index) => String(row.cells[index] ?? "")),
      ]);
      if (widths === undefined) {
        const heads = shown.map((index) => table.columnDefinitions[index]?.name.toUpperCase() ?? "");
        lines.unshift([...(options.namespaces ? ["NAMESPACE"] : []), ...heads]);
        widths = heads.concat("").map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
      }
      const fixed = widths;
      const pad = (cell: string, index: number) => cell.padEnd((fixed[index] ?? 0) + 3);
      return lines.map((line) => `${line.map(pad).join("").trimEnd()}\n`).join("");
    },
  };
}
