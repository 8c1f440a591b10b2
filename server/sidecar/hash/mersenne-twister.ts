const size = 624;
const shift = 397;

/** MT19937: the numbers that C++'s `std::mt19937` gives for a seed, each of 32 bits, so that a hash leads where it does in Envoy. */
export class MersenneTwister {
  private readonly state = new Uint32Array(size);
  private at = size;

  /** @param seed of 32 bits */
  constructor(seed: number) {
    const { state } = this;
    state[0] = seed;
    for (let i = 1; i < size; i++) {
      const before = state[i - 1] as number;
      state[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
  }

  next(): number {
    if (this.at === size) this.twist();
    let y = this.state[this.at++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in [0, below). */
  nextBelow(below: number): number {
    const step = Math.floor(0x1_0000_0000 / below);
    let value = below;
    while (value >= below) value = Math.floor(this.next() / step);
    return value;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < size; i++) {
      const y = ((state[i] as number) & 0x8000_0000) | ((state[(i + 1) % size] as number) & 0x7fff_ffff);
      state[i] = (state[(i + shift) % size] as number) ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908_b0df);
    }
    this.at = 0;
  }
}
