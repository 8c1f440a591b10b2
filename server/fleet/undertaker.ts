import { spawn } from "node:child_process";
import { startTicks } from "./kernel-view.ts";

/** Kills what is left of a mesh whose supervisor was killed. */
export interface Undertaker {
  readonly pid: number | undefined;
  watch(pid: number): void;
  forget(pid: number): void;
  /** It ends without killing anything. */
  dismiss(): void;
}

/**
 * A part ends by itself when its supervisor is gone: the supervisor holds the other end of its stdin (server/cli/leash.ts). A hung one
 * doesn't. So a shell, which takes a megabyte and has nothing to hang on, holds such a pipe, too: when that ends, it gives the parts `graceSec`
 * to leave, and kills those that have not. A pid counts only together with its start, where the system tells it.
 */
export function startUndertaker(graceSec: number): Undertaker {
  const shell = spawn("/bin/sh", ["-c", script, "limpid-undertaker", String(graceSec)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  shell.on("error", () => {}); // no shell: hung parts stay, as the next start will say
  shell.stdin.on("error", () => {});
  shell.unref();
  const parts = new Map<number, string>();
  const tell = (line: string): void => {
    if (shell.stdin.writable) shell.stdin.write(`${line}\n`);
  };
  const forget = (pid: number): void => {
    const part = parts.get(pid);
    if (part === undefined) return;
    parts.delete(pid);
    tell(`- ${part}`);
  };
  return {
    pid: shell.pid,
    watch(pid) {
      forget(pid);
      const part = `${pid}:${startTicks(pid) ?? ""}`;
      parts.set(pid, part);
      tell(`+ ${part}`);
    },
    forget,
    dismiss() {
      tell(".");
      shell.stdin.end();
    },
  };
}

/** POSIX. The 20th word after the name in /proc/<pid>/stat is the start. */
const script = `
trap '' INT TERM HUP
grace=$1
parts=' '
while read -r what part; do
  case $what in
    +) parts="$parts$part " ;;
    -) parts="\${parts%% $part *} \${parts#* $part }" ;;
    .) exit 0 ;;
  esac
done
sleep "$grace"
for part in $parts; do
  pid=\${part%%:*}
  start=\${part#*:}
  if [ -n "$start" ]; then
    read -r stat 2>/dev/null < "/proc/$pid/stat" || continue
    set -- \${stat##*) }
    [ "\${20}" = "$start" ] || continue
  fi
  kill -9 "-$pid" 2>/dev/null || kill -9 "$pid" 2>/dev/null
done
`;
