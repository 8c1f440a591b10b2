/** What became of one attempt to pass a batch on. */
export type Delivery =
  /** `rejected`: of what was taken in, how much the other end says that it left out. */
  | { kind: "taken"; rejected: number; message: string }
  /** To be tried again, after `afterMs` where the other end says so. */
  | { kind: "later"; message: string; afterMs?: number }
  /** Not to be tried again. */
  | { kind: "refused"; message: string };

/** Sends the bytes of one export request. Never rejects. */
export interface Transport {
  send(request: Uint8Array): Promise<Delivery>;
  close(): void;
}

/** The `partial_success` of a response, read by who knows the signal. */
export type ReadResponse = (bytes: Uint8Array) => { rejected: number; message: string };

export function taken(bytes: Uint8Array, read: ReadResponse): Delivery {
  try {
    return { kind: "taken", ...read(bytes) };
  } catch {
    return { kind: "taken", rejected: 0, message: "its answer can't be read" };
  }
}
