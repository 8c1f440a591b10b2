/** Seconds. */
export const timeWindows = [10, 60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000] as const;
export const defaultWindowSec = 60;
