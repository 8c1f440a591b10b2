/** Level of detail by zoom: below `far` only health, below `near` no numbers. */
export const far = 0.4;
export const near = 0.6;
