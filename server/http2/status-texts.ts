/** Codes as they are sent, so that no number is turned into text per response. */
export const statusTexts: readonly string[] = Array.from({ length: 600 }, (_, status) => String(status));
