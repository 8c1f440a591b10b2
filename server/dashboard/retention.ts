import { type RetentionChange, type RetentionList, type Told, told } from "../contract/index.ts";
import { remember } from "../lib/remember.ts";
import type { RetentionBook } from "../store/retention-book.ts";
import { defaultRetention, type Retention } from "../wire/retention.ts";
import {
  checkRetention,
  effectiveRetention,
  listRetention,
  type RetentionFault,
  retentionSettings,
  settingsIn,
  settingsText,
} from "../wire/retention-settings.ts";
import { invalid } from "./parse.ts";

export interface RetentionCalls {
  retention(): Promise<RetentionList>;
  /** Rejects with INVALID, which names every wrong setting. Collectors take it up within a minute. */
  setRetention(change: RetentionChange): Promise<RetentionList>;
}

export interface RetentionOptions {
  book: RetentionBook;
  /** What LIMPID_RETENTION says, which goes before what is set on the page. */
  own: string | undefined;
}

const keptMs = 30_000;

export function createRetention({ book, own }: RetentionOptions): RetentionCalls {
  const list = async (): Promise<RetentionList> => {
    const ofPage = await book.read();
    const { retention } = effectiveRetention(ofPage, own);
    const [set, fixed] = [settingsIn(ofPage), settingsIn(own)];
    const defaults = new Map(listRetention(defaultRetention).map(({ name, value }) => [name, value]));
    return {
      settings: listRetention(retention).map(({ name, kind, value, disk }) => ({
        ...{ name, kind, value, disk },
        default: defaults.get(name) ?? "",
        set: set.get(name) ?? null,
        fixed: fixed.has(name),
      })),
    };
  };
  return {
    retention: list,
    async setRetention({ settings }) {
      const made = new Map(Object.entries(settings).map(([name, value]) => [name, value.trim()] as const));
      for (const [name, value] of made) if (value === "") made.delete(name);
      const faults = [...unwritable(made), ...checkRetention(settingsText(made)).faults];
      // Alone it may be right, and not beside what a variable says.
      if (faults.length === 0) faults.push(...checkRetention([settingsText(made), own ?? ""].join(",")).faults);
      if (faults.length > 0) throw refused(faults);
      await book.write(settingsText(made));
      return list();
    },
  };
}

/** What would be read back as something else. */
const unwritable = (settings: ReadonlyMap<string, string>): RetentionFault[] =>
  [...settings]
    .filter(([name, value]) => /[,=]/.test(name + value))
    .map(([name, value]) => ({ name, value, fault: retentionSettings[name]?.kind ?? "unknown" }));

function refused(faults: readonly RetentionFault[]) {
  const errors = faults.map((fault) => ({ path: `settings.${fault.name}`, ...wordsOf(fault) }));
  return invalid(errors.map(({ path, message }) => `${path}: ${message}`).join("; "), errors);
}

function wordsOf({ name, value, fault }: RetentionFault): Told {
  if (fault === "duration") return told("retention-duration", { value });
  if (fault === "count") return told("retention-count", { value });
  if (fault === "order") return told("retention-order", {});
  return told("retention-unknown", { name, known: Object.keys(retentionSettings).join(", ") });
}

/** The steps that hold, for the read models: an object that follows the settings. */
export function followedSteps({ book, own }: RetentionOptions): { steps: Retention["steps"]; follow(): Promise<void> } {
  const steps = { ...effectiveRetention("", own).retention.steps };
  const follow = remember(async () => {
    Object.assign(steps, effectiveRetention(await book.read(), own).retention.steps);
  }, keptMs);
  return { steps, follow };
}
