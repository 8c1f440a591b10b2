import { randomFillSync } from "node:crypto";

const pool = Buffer.allocUnsafeSlow(4096);
let hex = "";
let position = 0;

/** Random lower-case hex digits, never all zeros. Drawn in blocks, because every request takes two ids whether it is sampled or not. */
export function randomHex(digits: 16 | 32): string {
  if (position + digits > hex.length) {
    randomFillSync(pool);
    hex = pool.toString("hex");
    position = 0;
  }
  const id = hex.slice(position, position + digits);
  position += digits;
  return /[1-9a-f]/.test(id) ? id : randomHex(digits);
}
