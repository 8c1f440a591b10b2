/**
 * How wide a text is about to be, in the unit of its size: wide enough to keep others away from it, known without a canvas, and the
 * same on every machine. Both fonts are Geist's; its mono is 0.6 em wide.
 */
export const sansWidth = (text: string, size: number): number => widthOf(text, 0.56) * size;
export const monoWidth = (text: string, size: number): number => widthOf(text, 0.6) * size;

const narrow = new Set("iljtfrI.,:;'|()[]-/ ");

function widthOf(text: string, em: number): number {
  let sum = 0;
  for (const char of text) sum += char > "⺀" ? 1 : em < 0.6 && narrow.has(char) ? 0.36 : em;
  return sum;
}

/** A name in at most two lines, broken where its words end; what is longer still loses its middle. */
export function nameLines(name: string, widest: number, size: number): string[] {
  if (sansWidth(name, size) <= widest) return [name];
  const words = name.split(/(?<=[-._/])/);
  for (let count = words.length - 1; count > 0; count--) {
    const lines = [words.slice(0, count).join(""), words.slice(count).join("")];
    if (lines.every((line) => sansWidth(line, size) <= widest)) return lines;
  }
  return [shortened(name, widest, size)];
}

function shortened(name: string, widest: number, size: number): string {
  const chars = [...name];
  for (let kept = chars.length - 1; kept > 2; kept--) {
    const head = Math.ceil(kept / 2);
    const text = `${chars.slice(0, head).join("")}…${chars.slice(chars.length - (kept - head)).join("")}`;
    if (sansWidth(text, size) <= widest) return text;
  }
  return `${chars[0] ?? ""}…`;
}
