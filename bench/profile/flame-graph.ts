/**
 * A profile as a flame graph: what calls lies below what is called, as wide as it took.
 * Brendan Gregg, "The Flame Graph" (ACM Queue, 2016).
 */
import { type CpuProfile, partOf, selfMicros } from './cpu-profile.js';

interface Frame {
  readonly name: string;
  readonly part: string;
  micros: number;
  readonly callees: Map<string, Frame>;
}

const width = 1_600;
const rowHeight = 17;
/** Narrower ones can't be seen. */
const widthMin = 0.5;
/** As wide as a letter. */
const letterWidth = 6.5;

/** An SVG; the mouse over a frame shows its name and time. */
export function flameGraph(title: string, profile: CpuProfile): string {
  const root = framesOf(profile);
  const boxes: string[] = [];
  const rows = draw(root, { x: 0, row: 1, scale: width / Math.max(root.micros, 1), boxes });
  const height = (rows + 1) * rowHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<text x="4" y="13" font-weight="bold">${escaped(title)}</text>
${boxes.join('\n')}
</svg>
`;
}

function framesOf(profile: CpuProfile): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const micros = selfMicros(profile);
  const root: Frame = { name: 'all', part: '', micros: 0, callees: new Map() };
  const add = (id: number, caller: Frame): number => {
    const node = nodes.get(id);
    if (!node) return 0;
    const part = partOf(node);
    const name = node.callFrame.functionName || '(anonymous)';
    const isRoot = name === '(root)';
    const frame = isRoot ? caller : calleeOf(caller, name, part ?? '');
    const own = part ? (micros.get(id) ?? 0) : 0;
    const total = (node.children ?? []).reduce((sum, child) => sum + add(child, frame), own);
    frame.micros += total;
    return total;
  };
  add(profile.nodes[0]?.id ?? 0, root);
  return root;
}

function calleeOf({ callees }: Frame, name: string, part: string): Frame {
  const key = `${part} ${name}`;
  const callee = callees.get(key) ?? { name, part, micros: 0, callees: new Map() };
  callees.set(key, callee);
  return callee;
}

interface Place {
  readonly x: number;
  readonly row: number;
  /** Of µs to its width. */
  readonly scale: number;
  readonly boxes: string[];
}

/** Returns how many rows there are. */
function draw(frame: Frame, { x, row, scale, boxes }: Place): number {
  const wide = frame.micros * scale;
  if (wide < widthMin) return row;
  boxes.push(box(frame, { x, y: row * rowHeight, wide }));
  let at = x;
  let rows = row + 1;
  for (const callee of [...frame.callees.values()].sort((one, other) => other.micros - one.micros)) {
    rows = Math.max(rows, draw(callee, { x: at, row: row + 1, scale, boxes }));
    at += callee.micros * scale;
  }
  return rows;
}

function box({ name, part, micros }: Frame, { x, y, wide }: { x: number; y: number; wide: number }): string {
  const letters = Math.floor(wide / letterWidth) - 1;
  const text =
    letters > 2
      ? `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${escaped(name.slice(0, letters))}</text>`
      : '';
  const hover = escaped(`${name} · ${part} · ${(micros / 1_000).toFixed(1)} ms`);
  const rectangle = `<rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${rowHeight - 1}" fill="${colourOf(part)}"/>`;
  return `<g><title>${hover}</title>${rectangle}${text}</g>`;
}

/** The same for all functions of a part. */
function colourOf(part: string): string {
  const hue = [...part].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7);
  return `hsl(${hue} 65% 75%)`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
