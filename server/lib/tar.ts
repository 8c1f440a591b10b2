/** A file of an archive. */
export interface TarEntry {
  /** Relative, with `/`; at most 100 bytes. */
  name: string;
  data: Uint8Array | string;
}

const blockBytes = 512;

/** An archive in the ustar format of POSIX.1-1988, which every `tar` reads. Throws a RangeError for a name that is too long for it. */
export function tar(entries: readonly TarEntry[], atMs: number): Buffer {
  const blocks: Buffer[] = [];
  for (const { name, data } of entries) {
    const body = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
    blocks.push(header(name, body.length, atMs), body, Buffer.alloc(-body.length & (blockBytes - 1)));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function header(name: string, size: number, atMs: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`${name} is longer than the 100 bytes of a tar header`);
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
  block.write(name, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(atMs / 1000), 136, 12);
  block.write("        ", 148, "latin1"); // the checksum is made as if it were spaces
  block.write("0", 156, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
