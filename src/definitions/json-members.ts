/**
 * The members of a JSON object as texts, so that one can be changed and the others stay as they are, to the
 * byte.
 */

/** @param json an object, well-formed */
export function membersOf(json: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = skipBlank(json, json.indexOf('{') + 1);
  while (json[at] === '"') {
    const nameEnd = endOfText(json, at);
    const start = skipBlank(json, json.indexOf(':', nameEnd) + 1);
    const end = endOfValue(json, start);
    members.set(JSON.parse(json.slice(at, nameEnd)) as string, json.slice(start, end));
    at = skipBlank(json, skipBlank(json, end) + 1);
  }
  return members;
}

export function joinMembers(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function skipBlank(json: string, from: number): number {
  let at = from;
  while (at < json.length && json.charCodeAt(at) <= 32) at++;
  return at;
}

/** @param start of a text, at its first quote */
function endOfText(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(json: string, start: number): number {
  const first = json[start] as string;
  if (first === '"') return endOfText(json, start);
  return first === '{' || first === '[' ? endOfNested(json, start) : endOfWord(json, start);
}

function endOfWord(json: string, start: number): number {
  let at = start;
  while (at < json.length && !/[,}\s]/.test(json[at] as string)) at++;
  return at;
}

function endOfNested(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; ) {
    const character = json[at] as string;
    if (character === '{' || character === '[') depth++;
    if (character === '}' || character === ']') depth--;
    at = character === '"' ? endOfText(json, at) : at + 1;
    if (depth === 0) return at;
  }
  return json.length;
}
