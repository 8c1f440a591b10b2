import { readYaml, type YamlLimits } from "../../lib/yaml/read-yaml.ts";

/** The one document of a text. Throws what is wrong with it, and where. */
export function oneValue(text: string, limits: YamlLimits): unknown {
  const { documents, lineAt } = readYaml(text, limits);
  const [first, second] = documents;
  if (second !== undefined) throw new Error(`there is a second document in line ${lineAt(second.offset)}`);
  const problem = first?.problems[0];
  if (problem) throw new Error(`${problem.message} (line ${lineAt(problem.offset)})`);
  return first?.value ?? null;
}
