import type { Command } from "commander";
import { registerApply } from "./apply.ts";
import { registerDelete } from "./delete.ts";
import { registerDesign } from "./design.ts";
import { registerDiff } from "./diff.ts";
import { registerExport } from "./export.ts";
import { registerGet } from "./get.ts";
import { registerHistory, registerUndo } from "./history.ts";
import { registerImport } from "./import.ts";
import { type CliIo, processIo } from "./io.ts";
import { registerRestore } from "./restore.ts";
import { registerRoutes } from "./routes.ts";

/** The commands that are clients of the config API. */
export function registerConfigCommands(program: Command, io: CliIo = processIo): void {
  registerApply(program, io);
  registerGet(program, io);
  registerDelete(program, io);
  registerRoutes(program, io);
  registerHistory(program, io);
  registerUndo(program, io);
  registerDiff(program, io);
  registerExport(program, io);
  registerImport(program, io);
  registerRestore(program, io);
  registerDesign(program, io);
}
