/** What every field of a table counts on top of its characters: RFC 7541, 4.1. */
export const fieldOverhead = 32;

/**
 * Fields in the order they were added, newest first, as RFC 7541, 2.3.2 has it: a ring, so that adding and evicting move nothing. Each field has a number that
 * grows by one for every addition, which is how an encoder finds its fields again.
 */
export class DynamicTable {
  /** Bytes as RFC 7541, 4.1 counts them. */
  size = 0;
  maxSize: number;
  /** Number of the field added next. */
  next = 0;
  /** Number of the oldest field. */
  oldest = 0;
  private names: string[];
  private values: string[];
  private kinds: Uint16Array;
  private mask: number;
  private readonly onEvict: ((name: string, value: string, number: number) => void) | undefined;

  constructor(maxSize: number, onEvict?: (name: string, value: string, number: number) => void) {
    this.maxSize = maxSize;
    this.onEvict = onEvict;
    this.mask = 31;
    this.names = new Array<string>(32).fill("");
    this.values = new Array<string>(32).fill("");
    this.kinds = new Uint16Array(32);
  }

  get count(): number {
    return this.next - this.oldest;
  }

  /** `index` from 0, the newest; must be below {@link count}. */
  name(index: number): string {
    return this.names[(this.next - 1 - index) & this.mask] as string;
  }

  value(index: number): string {
    return this.values[(this.next - 1 - index) & this.mask] as string;
  }

  /** What the owner noted of the field. */
  kind(index: number): number {
    return this.kinds[(this.next - 1 - index) & this.mask] as number;
  }

  /** A field larger than the table empties it and is not added: RFC 7541, 4.4. @returns whether it was added */
  add(name: string, value: string, kind: number): boolean {
    const size = name.length + value.length + fieldOverhead;
    this.evictTo(this.maxSize - size);
    if (size > this.maxSize) return false;
    if (this.count > this.mask) this.grow();
    const slot = this.next & this.mask;
    this.names[slot] = name;
    this.values[slot] = value;
    this.kinds[slot] = kind;
    this.next++;
    this.size += size;
    return true;
  }

  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.evictTo(maxSize);
  }

  private evictTo(size: number): void {
    while (this.size > size && this.oldest < this.next) {
      const slot = this.oldest & this.mask;
      const name = this.names[slot] as string;
      const value = this.values[slot] as string;
      this.size -= name.length + value.length + fieldOverhead;
      this.names[slot] = "";
      this.values[slot] = "";
      this.onEvict?.(name, value, this.oldest);
      this.oldest++;
    }
  }

  private grow(): void {
    const { names, values, kinds, mask } = this;
    const capacity = (mask + 1) * 2;
    this.names = new Array<string>(capacity).fill("");
    this.values = new Array<string>(capacity).fill("");
    this.kinds = new Uint16Array(capacity);
    this.mask = capacity - 1;
    for (let number = this.oldest; number < this.next; number++) {
      this.names[number & this.mask] = names[number & mask] as string;
      this.values[number & this.mask] = values[number & mask] as string;
      this.kinds[number & this.mask] = kinds[number & mask] as number;
    }
  }
}
