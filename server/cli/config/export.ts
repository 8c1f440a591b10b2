import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { inOrder, meshText } from "../../config/import-plan.ts";
import { kinds } from "../../config/kinds/index.ts";
import { MeshExport } from "../../contract/index.ts";
import { count } from "../count.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { type MomentOption, momentQuery, momentText } from "./moment.ts";

const help = `
Namespaces come first, so that limpid import or limpid apply take it in one go. What servers and clients fill in is left out.

Examples:
  limpid export > mesh.yaml               everything, to keep in git
  limpid export -o mesh/                  one file for each object
  limpid export --at 2026-11-28T14:00:00Z the mesh as it was then
  limpid export --at 42                   as revision 42 of limpid history left it`;

interface ExportOptions extends ServerOption {
  at?: MomentOption;
  namespace?: string;
  output?: string;
}

/** `limpid export` */
export function registerExport(program: Command, io: CliIo = processIo): void {
  program
    .command("export")
    .description("write the whole configuration as YAML, as it is or as it was")
    .option("--at <moment>", `${momentText}; default: now`)
    .option("-n, --namespace <name>", "only what is in this namespace")
    .option("-o, --output <folder>", "a file for each object, in an empty or new folder; default: standard output")
    .addOption(serverOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: ExportOptions) => runCommand(io, () => exportMesh(options, io)));
}

/** The configuration, in the order in which it can be applied. */
export async function fetchMesh(
  server: string,
  { at, namespace }: Pick<ExportOptions, "at" | "namespace">,
): Promise<MeshExport> {
  const query = momentQuery(at);
  if (namespace !== undefined) query.set("namespace", namespace);
  const mesh = MeshExport.parse(await (await call(server, `/limpid/v1/mesh?${query}`)).json());
  mesh.objects = inOrder(mesh.objects);
  return mesh;
}

async function exportMesh(options: ExportOptions, io: CliIo): Promise<void> {
  const { objects, revision } = await fetchMesh(serverUrl(options, io.env), options);
  if (options.output === undefined) io.out(meshText(objects));
  else await writeFolder(options.output, objects);
  const where = options.output === undefined ? "" : ` in ${options.output}`;
  io.err(`${count(objects.length, "object")} of revision ${revision}${where}\n`);
}

/** The names sort as the objects can be applied. Throws a CliError for a folder with anything in it: what is there would be taken for part of the mesh. */
async function writeFolder(folder: string, objects: MeshExport["objects"]): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) throw new CliError(`error: ${folder} is not empty`);
    const places = kinds.map(({ kind }) => kind);
    for (const { kind, namespace, name, yaml } of objects) {
      const place = String(places.indexOf(kind) + 1).padStart(2, "0");
      const parts = [place, kind.toLowerCase(), ...(namespace === "" ? [] : [namespace]), name];
      await writeFile(join(folder, `${parts.join("-")}.yaml`), yaml, { flag: "wx" });
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`error: ${folder} can't be written: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
