import { expect } from "vitest";

/** `expect.poll`, looked at often: what is awaited here takes milliseconds. */
export const eventually = <T>(read: () => T) => expect.poll(read, { interval: 2, timeout: 10_000 });
