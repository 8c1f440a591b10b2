import type { Notice, ReceiverRequest } from "../contract/index.ts";

/** Where notices and receivers are kept. Of dashboards that share one, one leads: it looks and tells, the others show what it found. */
export interface AlertBook {
  /** Undefined while another dashboard leads. Rejects when nobody can be asked. */
  lead(): Promise<Leadership | undefined>;
  notices(): Promise<readonly Notice[]>;
  receivers(): Promise<ReceiverRequest[]>;
  /** Adds one, or changes the one of its name. False, and nothing written, when there are `max` others. */
  putReceiver(receiver: ReceiverRequest, max: number): Promise<boolean>;
  /** Whether there was one. */
  removeReceiver(name: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface Leadership {
  /** False: it has been lost, and somebody else may have it. */
  holds(): Promise<boolean>;
  /** Writes all that there are. Rejects when they could not be written. */
  keep(notices: readonly Notice[]): Promise<void>;
  resign(): Promise<void>;
}
