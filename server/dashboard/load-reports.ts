import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LoadReport } from "../contract/index.ts";
import { jsonFile } from "../lib/json-file.ts";

/** Past this the oldest goes. */
const maxReports = 200;

/** Reports of load tests, a file each, so that they can be copied and thrown away by hand. */
export interface LoadReports {
  /** The newest first. */
  list(): readonly LoadReport[];
  get(id: string): LoadReport | undefined;
  add(report: LoadReport): void;
  /** Whether there was one. */
  remove(id: string): boolean;
}

/** `onUnread` hears of files that are no reports; they are left where they are. */
export function openLoadReports(folder: string, onUnread: (file: string, why: Error) => void): LoadReports {
  let reports: LoadReport[] | undefined;
  const fileOf = (id: string): string => join(folder, `${id}.json`);
  const read = (): LoadReport[] =>
    filesIn(folder)
      .flatMap((file) => {
        try {
          return LoadReport.parse(jsonFile(join(folder, file)).read());
        } catch (error) {
          onUnread(file, error instanceof Error ? error : new Error(String(error)));
          return [];
        }
      })
      .sort((a, b) => b.startedAt - a.startedAt);
  const all = (): LoadReport[] => {
    reports ??= read();
    return reports;
  };
  return {
    list: all,
    get: (id) => all().find((report) => report.id === id),
    add(report) {
      // Read before it is written: it would be found there a second time.
      const known = all();
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      jsonFile(fileOf(report.id)).write(report);
      const sorted = [report, ...known].sort((a, b) => b.startedAt - a.startedAt);
      for (const old of sorted.slice(maxReports)) rmSync(fileOf(old.id), { force: true });
      reports = sorted.slice(0, maxReports);
    },
    remove(id) {
      if (!all().some((report) => report.id === id)) return false;
      rmSync(fileOf(id), { force: true });
      reports = all().filter((report) => report.id !== id);
      return true;
    },
  };
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => /^[0-9a-f-]{36}\.json$/.test(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
