export interface Command {
  id: string;
  label: string;
  group: string;
  /** Something is done, and not only gone to. */
  acts?: boolean;
  run: () => void;
}

/**
 * Every word of `text` must begin a word of the label or the group: `fault` is no part of `default`. What matches by its label comes before
 * what needs its group for it; of those, what starts with the text, and then what does something. Order is otherwise kept.
 */
export function matchCommands(commands: readonly Command[], text: string): Command[] {
  const wanted = text.trim().toLowerCase();
  const words = wordsOf(wanted);
  return commands
    .flatMap((command) => {
      const label = wordsOf(command.label);
      const all = [...label, ...wordsOf(command.group)];
      if (!words.every((word) => begins(all, word))) return [];
      const byLabel = words.every((word) => begins(label, word));
      const starts = command.label.toLowerCase().startsWith(wanted);
      const rank = (byLabel ? 0 : 4) + (starts ? 0 : 2) + (words.length > 1 && !command.acts ? 1 : 0);
      return [{ command, rank }];
    })
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ command }) => command);
}

/** Parts of a name are words, too: `reviews-v2`, `api.vendor.test`; Chinese has no spaces, so any of it may begin one. */
const wordsOf = (text: string): string[] => {
  const lower = text.toLowerCase();
  return [...lower.split(/\s+/), ...lower.split(/[\s\-._/:]+/)].filter(Boolean);
};

const cjk = /[\u3400-\u9fff]/;
const begins = (words: readonly string[], wanted: string): boolean =>
  words.some((word) => (cjk.test(wanted) ? word.includes(wanted) : word.startsWith(wanted)));
