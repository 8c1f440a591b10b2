/**
 * Coarse timers for what nearly always gets cancelled (timeouts, idle limits): adding and cancelling is a few pointer writes and allocates nothing,
 * since the node is part of its owner. A timer fires up to one tick late, never early.
 */
export class TimerWheel {
  private readonly slots: WheelTimer[];
  private readonly tickMs: number;
  private readonly now: () => number;
  private cursor: number;
  private count = 0;
  private ticker: NodeJS.Timeout | undefined = undefined;

  /** @param now monotonic milliseconds */
  constructor(tickMs: number, slots = 512, now: () => number = () => performance.now()) {
    this.tickMs = tickMs;
    this.now = now;
    this.slots = Array.from({ length: slots }, () => new WheelTimer(nothing));
    this.cursor = this.tickOf(now());
  }

  /** (Re-)arms a timer to fire after `ms`. */
  arm(timer: WheelTimer, ms: number): void {
    timer.cancel();
    const at = this.now();
    if (this.count === 0) this.start(at);
    // Never a tick that is being fired or was: its slot is passed again only after a whole turn.
    timer.tick = Math.max(this.cursor + 1, this.tickOf(at) + 1, Math.ceil((at + ms) / this.tickMs));
    const slot = this.slots[timer.tick % this.slots.length] as WheelTimer;
    timer.previous = slot.previous;
    timer.next = slot;
    slot.previous.next = timer;
    slot.previous = timer;
    timer.wheel = this;
    this.count++;
  }

  /** Called by {@link WheelTimer.cancel}. */
  removed(): void {
    this.count--;
  }

  /** Fires what is due. Run by the wheel itself; public so that a test can drive it. */
  advance(): void {
    const target = this.tickOf(this.now());
    const last = Math.min(target, this.cursor + this.slots.length);
    for (let tick = this.cursor + 1; tick <= last; tick++) this.fireSlot(tick % this.slots.length, target);
    this.cursor = target;
    if (this.count === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.ticker);
    this.ticker = undefined;
  }

  private fireSlot(index: number, target: number): void {
    const slot = this.slots[index] as WheelTimer;
    // Gathered first: what fires may cancel its neighbours or arm them again elsewhere, and the walk must not follow them there.
    const due: WheelTimer[] = [];
    for (let timer = slot.next; timer !== slot; timer = timer.next) if (timer.tick <= target) due.push(timer);
    for (const timer of due) {
      if (timer.wheel !== this || timer.tick > target) continue;
      timer.cancel();
      timer.fire();
    }
  }

  private start(at: number): void {
    this.cursor = this.tickOf(at);
    this.ticker ??= setInterval(() => this.advance(), this.tickMs).unref();
  }

  private tickOf(at: number): number {
    return Math.floor(at / this.tickMs);
  }
}

export class WheelTimer {
  previous: WheelTimer = this;
  next: WheelTimer = this;
  tick = 0;
  wheel: TimerWheel | undefined = undefined;
  readonly fire: () => void;

  constructor(fire: () => void) {
    this.fire = fire;
  }

  get armed(): boolean {
    return this.wheel !== undefined;
  }

  cancel(): void {
    if (this.wheel === undefined) return;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
    const wheel = this.wheel;
    this.wheel = undefined;
    wheel.removed();
  }
}

const nothing = (): void => {};
