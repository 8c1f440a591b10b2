import type { Command } from "commander";
import { catalogueOf, designOf, distanceOf, exportOf, isOfDesigns, isReady, objectsOf } from "../../config/designs.ts";
import { deletesOf, differencesOf, differsFrom, meshText, surplusOf } from "../../config/import-plan.ts";
import { type DesignSpec, kindNamed } from "../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";
import { toYaml } from "../../config/to-yaml.ts";
import { type ChangedObject, designReason, type MeshExport } from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { count } from "../count.ts";
import { displayName, sendManifests } from "./apply.ts";
import { checkText, doubtfulCode, isDoubtful } from "./check.ts";
import { call, portOffsetOption, type ServerOption, serverOption, serverUrl } from "./client.ts";
import { patchOf } from "./diff.ts";
import { fetchMesh } from "./export.ts";
import { CliError, type CliIo, processIo, runCommand } from "./io.ts";
import { type MomentOption, momentText } from "./moment.ts";
import { type Manifest, readManifests } from "./read-manifests.ts";

const help = `
A design is a configuration that is kept under a name and is not in force: a Design of the mesh's own store, or one of those that come with
Limpid. Secrets and canaries are in none. Nothing that a design doesn't name is touched, but with apply --prune.

Examples:
  limpid design list                              what there is, and how far the mesh is from each
  limpid design save before-black-friday          the mesh as it is
  limpid design save shop -n shop --at 42         a namespace, as revision 42 left it
  limpid design save strict -f strict.yaml        from files
  limpid design diff strict-mutual-tls            what applying it would change
  limpid design diff blue green                   two of them
  limpid design apply strict-mutual-tls --check   who would lose what, before anything is done
  limpid design export blue > blue.yaml           as one file`;

/** `limpid design` */
export function registerDesign(program: Command, io: CliIo = processIo): void {
  const design = program
    .command("design")
    .description("keep configurations under names, compare them and put them in force")
    .addHelpText("after", help);
  const command = (name: string, summary: string): Command =>
    design.command(name).description(summary).addOption(serverOption()).addOption(portOffsetOption());
  command("list", "list the designs").action((options: ServerOption) => runCommand(io, () => list(options, io)));
  command("export", "write what is in one as YAML")
    .argument("<name>")
    .action((name: string, options: ServerOption) =>
      runCommand(io, async () => io.out(meshText(exportOf(await find(name, serverUrl(options, io.env)))))),
    );
  command("save", "keep the mesh, or files, under a name")
    .argument("<name>")
    .option("-f, --filename <path...>", "a file, a folder, or - for standard input; default: the mesh")
    .option("--at <moment>", `of the mesh as it was: ${momentText}`)
    .option("-n, --namespace <name>", "only what is in this namespace")
    .option("--description <text>", "what it is for")
    .option("--replace", "also where one is kept under the name")
    .action((name: string, options: SaveOptions) => runCommand(io, () => save(name, options, io)));
  command("diff", "show how the mesh, or another design, differs; the exit code is 1 when it does")
    .argument("<name>")
    .argument("[other]", "default: the mesh as it is")
    .action((name: string, other: string | undefined, options: ServerOption) =>
      runCommand(io, () => diff(name, other, options, io)),
    );
  command("apply", "put one in force, in one change")
    .argument("<name>")
    .option("--dry-run", "check and report, change nothing")
    .option("--check", "show what it would do to objects, traffic and proxies, change nothing")
    .option("--prune", "delete what it doesn't name")
    .option("--reason <text>", "why, in a few words, for the history")
    .action((name: string, options: ApplyOptions) => runCommand(io, () => apply(name, options, io)));
  command("delete", "keep one no longer")
    .argument("<name>")
    .action((name: string, options: ServerOption) => runCommand(io, () => remove(name, options, io)));
}

interface SaveOptions extends ServerOption {
  filename?: string[];
  at?: MomentOption;
  namespace?: string;
  description?: string;
  replace?: boolean;
}

interface ApplyOptions extends ServerOption {
  dryRun?: boolean;
  check?: boolean;
  prune?: boolean;
  reason?: string;
}

async function catalogue(server: string): Promise<ConfigObject[]> {
  const { group = "", version = "", plural = "" } = kindNamed("Design") ?? {};
  const answer = (await (await call(server, `/apis/${group}/${version}/${plural}`)).json()) as {
    items: ConfigObject[];
  };
  return catalogueOf(answer.items);
}

async function find(name: string, server: string): Promise<ConfigObject> {
  const all = await catalogue(server);
  const found = all.find(({ metadata }) => metadata.name === name);
  if (found) return found;
  const names = all.map(({ metadata }) => metadata.name).join(", ");
  throw new CliError(`error: no design is called ${name}; there are ${names}`);
}

async function list(options: ServerOption, io: CliIo): Promise<void> {
  const server = serverUrl(options, io.env);
  const [all, { objects }] = await Promise.all([catalogue(server), fetchMesh(server, {})]);
  const rows = all.map((design) => {
    const { description = "", objects: own } = design.spec as DesignSpec;
    return [
      design.metadata.name,
      isReady(design) ? "ready" : "kept",
      String(own.length),
      stand(design, objects),
      description,
    ];
  });
  io.out(columns([["NAME", "FROM", "OBJECTS", "THE MESH", "DESCRIPTION"], ...rows]));
}

function stand(design: ConfigObject, inForce: MeshExport["objects"]): string {
  const { differs, lacks } = distanceOf(design, inForce);
  if (differs + lacks === 0) return "is so";
  return [differs > 0 ? `differs in ${differs}` : [], lacks > 0 ? `lacks ${lacks}` : []].flat().join(", ");
}

async function save(name: string, options: SaveOptions, io: CliIo): Promise<void> {
  const { filename, at, namespace, description, replace = false } = options;
  if (filename && (at !== undefined || namespace !== undefined))
    throw new CliError("error: --filename is files, --at and --namespace are the mesh: say one");
  const server = serverUrl(options, io.env);
  const exported = filename
    ? (await readManifests(filename, io)).map(({ object }) => ({ ...keyOf(object), yaml: toYaml(object) }))
    : (await fetchMesh(server, { ...(at !== undefined && { at }), ...(namespace !== undefined && { namespace }) }))
        .objects;
  const object = designOf(name, description, exported);
  const { length } = (object.spec as DesignSpec).objects;
  if (length === 0) throw new CliError("error: nothing of it can be kept in a design");
  const writes = [{ op: "put" as const, object, ...(!replace && { expect: "absent" }) }];
  await sendManifests({ server, manifests: [{ file: name, object }], io, writes });
  io.out(`${name}: ${count(length, "object")} kept\n`);
  const without = exported.length - length;
  if (without > 0) io.err(`${count(without, "Secret or Canary", "Secrets and Canaries")} left out\n`);
}

async function diff(name: string, other: string | undefined, options: ServerOption, io: CliIo): Promise<void> {
  const server = serverUrl(options, io.env);
  const design = exportOf(await find(name, server));
  const differences =
    other === undefined ? await toMesh(design, server) : differencesOf(design, exportOf(await find(other, server)));
  const patches = differences.map(patchOf);
  for (const patch of patches) io.out(patch);
  if (patches.length > 0) io.fail();
}

/** What a mesh has besides a design is no difference to it. */
async function toMesh(design: MeshExport["objects"], server: string): Promise<ChangedObject[]> {
  const named = new Set(design.map(formatKey));
  const there = (await fetchMesh(server, {})).objects.filter((object) => named.has(formatKey(object)));
  return differencesOf(there, design);
}

async function apply(name: string, options: ApplyOptions, io: CliIo): Promise<void> {
  const { dryRun = false, check = false, prune = false, reason } = options;
  const server = serverUrl(options, io.env);
  const [design, mesh] = await Promise.all([find(name, server), fetchMesh(server, {})]);
  const objects = objectsOf(design);
  const manifests: Manifest[] = objects.filter(differsFrom(mesh.objects)).map((object) => ({ file: name, object }));
  const deletes = prune ? deletesOf(surplusOf(objects, mesh.objects).filter(isOfDesigns)) : [];
  const writes = [...manifests.map(({ object }) => ({ op: "put" as const, object })), ...deletes];
  if (writes.length === 0) {
    io.err("the mesh is so already\n");
    return;
  }
  const result = await sendManifests({
    ...{ server, manifests, io, writes, dryRun: dryRun || check, preview: check },
    reason: reason ?? designReason(name),
  });
  if (check) {
    io.out(checkText(result));
    if (isDoubtful(result)) io.fail(doubtfulCode);
    return;
  }
  for (const { kind, name: object, before, after } of result.objects) {
    const verb = after === "" ? "deleted" : before === "" ? "created" : "configured";
    io.out(`${displayName(kind, object)} ${verb}${dryRun ? " (dry run)" : ""}\n`);
  }
}

async function remove(name: string, options: ServerOption, io: CliIo): Promise<void> {
  const server = serverUrl(options, io.env);
  const design = await find(name, server);
  if (isReady(design)) throw new CliError(`error: ${name} comes with Limpid and stays`);
  const writes = [{ op: "delete", key: { kind: "Design", namespace: "", name } }];
  await sendManifests({ server, manifests: [], io, writes });
  io.out(`${name} is kept no longer\n`);
}
