/** The name of the event by which the palette is opened from elsewhere. */
export const paletteEvent = "limpid:palette";

export const openPalette = (): void => void window.dispatchEvent(new Event(paletteEvent));
