/** Who is named in a text that somebody pasted. Pure. */

/** As many as the server takes at once. */
export const GIVEN_MAX = 100_000;

/** What stands first in each line, each once, without quotes around it. */
export function givenIn(text: string): string[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const first = lines.map((line) => (/^\s*(?:"([^"]*)"|([^,;\t，；]*))/.exec(line)?.slice(1).join("") ?? "").trim());
  return [...new Set(first.filter((one) => one !== ""))];
}
