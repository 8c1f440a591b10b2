import { expect, it } from "vitest";
import { sharedSync } from "./shared-sync.ts";

/** A disk whose waits end when the test says so. */
function disk() {
  const waits: PromiseWithResolvers<void>[] = [];
  const sync = sharedSync(() => {
    const wait = Promise.withResolvers<void>();
    waits.push(wait);
    return wait.promise;
  });
  return { waits, sync };
}
const turn = () => new Promise(setImmediate);

it("waits once for all who come together, and once more for those who came while it ran", async () => {
  const { waits, sync } = disk();
  const first = [sync(), sync()];
  await turn();
  expect(waits).toHaveLength(1);
  const later = [sync(), sync(), sync()];
  await turn();
  expect(waits).toHaveLength(1);
  waits[0]?.resolve();
  await Promise.all(first);
  await turn();
  expect(waits).toHaveLength(2);
  waits[1]?.resolve();
  await Promise.all(later);
});

it("tells a failure to those who waited for it, and to nobody else", async () => {
  const { waits, sync } = disk();
  const failing = sync();
  await turn();
  const next = sync();
  waits[0]?.reject(new Error("EIO"));
  await expect(failing).rejects.toThrow("EIO");
  await turn();
  waits[1]?.resolve();
  await next;
});
