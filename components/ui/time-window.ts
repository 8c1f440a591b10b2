/** Seconds. */
export const timeWindows = [10, 60, 300, 900, 3600] as const;
export const defaultWindowSec = 60;

/** A window from the URL's text; the default when it is none of ours. */
export const parseWindow = (text: string | null | undefined): number =>
  timeWindows.find((seconds) => String(seconds) === text) ?? defaultWindowSec;
