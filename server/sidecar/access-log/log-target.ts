import { close, constants, open, write } from "node:fs";

/** Something that bytes can be appended to. Callbacks come later, from the loop. */
export interface LogTarget {
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  close(done: () => void): void;
}

/** Nothing here may wait for the other side of a pipe: not the opening, and not a write. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Opens a file, a pipe or a device by its path, without waiting for whoever reads it. */
export function openTarget(path: string, done: (error: Error | null, target: LogTarget | undefined) => void): void {
  open(path, flags, 0o666, (error, fd) => {
    const stream = error === null ? undefined : standard[path]?.();
    if (stream !== undefined)
      done(null, { write: (bytes, wrote) => writeTo(stream, bytes, wrote), close: setImmediate });
    else
      done(
        error,
        error === null ? { write: (...of) => writeFd(fd, ...of), close: (closed) => close(fd, closed) } : undefined,
      );
  });
}

/** What cannot be opened by its name a second time: a socket, or what was opened by another user. */
const standard: Record<string, (() => NodeJS.WriteStream) | undefined> = {
  "/dev/stdout": () => process.stdout,
  "/dev/stderr": () => process.stderr,
};

function writeFd(fd: number, bytes: Buffer, done: Parameters<LogTarget["write"]>[1]): void {
  write(fd, bytes, 0, bytes.length, null, (error, written) => done(error, written));
}

function writeTo(stream: NodeJS.WriteStream, bytes: Buffer, done: Parameters<LogTarget["write"]>[1]): void {
  stream.write(bytes, (error) => done(error ?? null, bytes.length));
}
