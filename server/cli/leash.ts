/**
 * Ends this process gracefully on SIGTERM and SIGINT, and, when it was started by `limpid up`, also when its supervisor is gone:
 * the supervisor holds the other end of stdin. `stop` gets `graceMs`.
 */
export function onShutdown(stop: () => Promise<void>, graceMs = 5000): void {
  let stopping = false;
  const shutdown = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), graceMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", shutdown);
  process.on("SIGINT", shutdown);
  if (process.env.LIMPID_LEASH === "1") {
    process.stdin.on("error", shutdown);
    process.stdin.on("end", shutdown);
    process.stdin.resume();
  }
}
