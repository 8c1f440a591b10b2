/** As many as anybody reads. */
const maxFound = 20;

/**
 * Keys that stand twice in an object of a JSON text, as paths (`spec.hosts`, `spec.http[0].name`): `JSON.parse` keeps the last and says nothing. For texts
 * that JSON.parse took. Linear in the text.
 */
export function duplicateKeys(text: string): string[] {
  const found: string[] = [];
  const scan = new Scan(text);
  scan.value("", found);
  return found;
}

class Scan {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  value(path: string, found: string[]): void {
    this.space();
    const first = this.text[this.at];
    if (first === "{") this.object(path, found);
    else if (first === "[") this.list(path, found);
    else if (first === '"') this.string();
    else while (this.at < this.text.length && !/[\s,\]}]/.test(this.text[this.at] ?? "")) this.at++;
  }

  private object(path: string, found: string[]): void {
    const seen = new Set<string>();
    this.at++;
    for (this.space(); this.text[this.at] !== "}" && this.at < this.text.length; this.space()) {
      const key = this.string();
      const place = path === "" ? key : `${path}.${key}`;
      if (!seen.has(key)) seen.add(key);
      else if (found.length < maxFound) found.push(place);
      this.space();
      this.at++; // the colon
      this.value(place, found);
      this.comma();
    }
    this.at++;
  }

  private list(path: string, found: string[]): void {
    this.at++;
    let index = 0;
    for (this.space(); this.text[this.at] !== "]" && this.at < this.text.length; this.space()) {
      this.value(`${path}[${index}]`, found);
      index += 1;
      this.comma();
    }
    this.at++;
  }

  private comma(): void {
    this.space();
    if (this.text[this.at] === ",") this.at++;
  }

  /** Past a string; its value, as two spellings of one key are one key. */
  private string(): string {
    const start = this.at;
    for (this.at++; this.at < this.text.length && this.text[this.at] !== '"'; this.at++) {
      if (this.text[this.at] === "\\") this.at++;
    }
    this.at++;
    const raw = this.text.slice(start, this.at);
    return raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1);
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }
}
