import { TimerWheel, type WheelTimer } from "./timer-wheel.ts";

/** Two wheels: 10 ms ticks for timeouts, 1 s ticks for idle limits, so that an idle proxy wakes up once a second. */
export class Timers {
  private readonly fast = new TimerWheel(10);
  private readonly slow = new TimerWheel(1000);

  arm(timer: WheelTimer, ms: number): void {
    (ms < 20_000 ? this.fast : this.slow).arm(timer, ms);
  }

  stop(): void {
    this.fast.stop();
    this.slow.stop();
  }
}
