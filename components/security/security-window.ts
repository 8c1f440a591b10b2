export const securityTabs = ["mutual-tls", "coverage", "refusals", "certificates"] as const;
export type SecurityTab = (typeof securityTabs)[number];

/** Who calls once an hour should be seen. */
export const securityWindowSec = 3600;
export const securityWindows = [300, 900, 3600, 21_600, 86_400, 604_800] as const;
