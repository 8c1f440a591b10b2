import { UnusableDatabaseError } from "../errors.ts";

/** What a variable names as a database on a server; undefined where it is empty. Throws `UnusableDatabaseError` when it is something else. */
export function postgresAddress(variable: string, value: string | undefined): string | undefined {
  if (!value) return undefined;
  if (/^postgres(ql)?:\/\//.test(value)) return value;
  // What it is instead may hold a password.
  throw new UnusableDatabaseError(
    `${variable} must be the address of a PostgreSQL database, such as postgres://limpid@db.example.com/limpid`,
  );
}
