import { type Command, Option } from "commander";
import { Graph } from "../../contract/index.ts";
import { portOffsetOption } from "../config/client.ts";
import { type CliIo, processIo, runCommand } from "../config/io.ts";
import { askDashboard, type DashboardOption, dashboardOption } from "../dashboard-client.ts";
import { secondsOf } from "../durations.ts";
import { dotOf, mermaidOf } from "./graph-text.ts";

const help = `
Examples:
  limpid graph -o dot | dot -Tsvg > mesh.svg     a picture of who calls whom
  limpid graph -o mermaid                        for Markdown
  limpid graph -o json --window 15m | jq '.edges[] | select(.health != "healthy")'`;

interface Options extends DashboardOption {
  window: string;
  output: "json" | "dot" | "mermaid";
}

/** `limpid graph` */
export function registerGraph(program: Command, io: CliIo = processIo): void {
  program
    .command("graph")
    .description("print who calls whom, as the topology shows it")
    .option("--window <duration>", "over how long rates are, such as 15m; a number alone is seconds", "60")
    .addOption(
      new Option("-o, --output <format>", "form of the output").choices(["json", "dot", "mermaid"]).default("dot"),
    )
    .addOption(dashboardOption())
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: Options) =>
      runCommand(io, async () => {
        const answer = await askDashboard(
          options,
          io,
          `/api/graph?${new URLSearchParams({ window: String(secondsOf("window", options.window)) })}`,
        );
        if (options.output === "json") io.out(`${JSON.stringify(answer, null, 2)}\n`);
        else io.out((options.output === "dot" ? dotOf : mermaidOf)(Graph.parse(answer)));
      }),
    );
}
