export interface Command {
  id: string;
  label: string;
  group: string;
  run: () => void;
}

/** Every word of `text` must occur in the label or group; a label that starts with the text comes first. Order is otherwise kept. */
export function matchCommands(commands: readonly Command[], text: string): Command[] {
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const rank = ({ label }: Command) => (label.toLowerCase().startsWith(wanted) ? 0 : 1);
  return commands
    .filter(({ label, group }) => words.every((word) => `${label} ${group}`.toLowerCase().includes(word)))
    .toSorted((a, b) => rank(a) - rank(b));
}
