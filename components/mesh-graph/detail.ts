/** Level of detail by zoom: below `far` only health, below `near` no numbers. */
export const far = 0.4;
export const near = 0.6;

/** Errors are worth a label from this share on. */
export const notable = 0.01;
