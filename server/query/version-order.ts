/** `v2` before `v10`, everywhere alike; independent of the machine's language. */
const collator = new Intl.Collator("en", { numeric: true });

export const compareVersions = (a: string, b: string): number => collator.compare(a, b);
