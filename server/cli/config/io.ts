/** What a command may touch of the process; tests hand in their own. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  stdin(): Promise<string>;
  /** The command failed: the exit code becomes 1, or what is said. */
  fail(code?: number): void;
  env: Readonly<Record<string, string | undefined>>;
  /** Ends a watch. */
  signal?: AbortSignal;
}

export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  async stdin() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString("utf8");
  },
  fail(code = 1) {
    process.exitCode = code;
  },
  env: process.env,
};

/** An error that is for the user and needs no stack: each line is printed as it is. */
export class CliError extends Error {
  readonly lines: readonly string[];
  constructor(...lines: string[]) {
    super(lines.join("\n"));
    this.lines = lines;
  }
}

/** Runs a command's body; a CliError becomes its lines on stderr and exit code 1. Whoever reads may have read enough: `limpid traces | head`. */
export async function runCommand(io: CliIo, body: () => Promise<void>): Promise<void> {
  if (io === processIo) process.stdout.once("error", endWithOutput);
  try {
    await body();
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    for (const line of error.lines) io.err(`${line}\n`);
    io.fail();
  }
}

function endWithOutput(error: NodeJS.ErrnoException): never {
  if (error.code === "EPIPE") process.exit();
  process.stderr.write(`error: the output can't be written: ${error.message}\n`);
  process.exit(1);
}
