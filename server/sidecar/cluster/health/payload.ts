/** Whether the parts stand in the bytes, one after the other; what is between them counts for nothing. */
export function containsInOrder(bytes: Buffer, parts: readonly Buffer[]): boolean {
  let at = 0;
  for (const part of parts) {
    const found = bytes.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return true;
}
