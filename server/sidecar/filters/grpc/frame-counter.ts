/** Counts the messages in a body of gRPC, however it is cut: each is a byte of flags, four of length, and as many as that says. */
export class FrameCounter {
  count = 0;
  private header = 0;
  private length = 0;
  private left = 0;

  /** @returns how many messages began to arrive with these bytes: those whose head is whole */
  feed(data: Buffer): number {
    const before = this.count;
    for (let i = 0; i < data.length; ) {
      if (this.left > 0) {
        const step = Math.min(this.left, data.length - i);
        this.left -= step;
        i += step;
        continue;
      }
      if (this.header > 0) this.length = this.length * 256 + (data[i] as number);
      i++;
      if (++this.header < 5) continue;
      this.count++;
      this.left = this.length;
      this.header = 0;
      this.length = 0;
    }
    return this.count - before;
  }
}
