/** Why a database can't be brought to the schema that this version of Limpid needs. */
export class MigrationError extends Error {
  readonly code = "MIGRATION";
}

/** The file is damaged, no database, or out of reach: whoever starts again finds the same. */
export class UnusableDatabaseError extends Error {
  readonly code = "DATABASE";
}
