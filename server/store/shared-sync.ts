/**
 * Waits for the disk, once for all who ask meanwhile. Whoever comes while one wait runs has the next: what runs may have begun before they wrote.
 * @param sync of all that was written by the time it is called
 */
export function sharedSync(sync: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        running = next ?? running;
        next = undefined;
        return sync();
      });
    return next;
  };
}
