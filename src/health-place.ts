/** Where a worker process answers questions about its health: ports or a socket, as a text says it. */

/** Where a process answers `/live`, `/ready` and `/metrics`. */
export type HealthPlace =
  /** The first free one of these ports. */
  | {
      readonly kind: 'port';
      /** The address that it listens at. */
      readonly host: string;
      /** The first port; 0 for any free one. */
      readonly from: number;
      /** The last port. */
      readonly to: number;
    }
  | {
      readonly kind: 'socket';
      /** A Unix socket; `{name}` stands for the role, `{pid}` for the process. */
      readonly path: string;
    };

/** What the system takes for the path of a socket; beyond that it is cut off silently. */
export const socketPathBytesMax = 100;
const portMax = 65_535;

/**
 * `9464`, `9464-9479`, `0.0.0.0:9464`, `[::1]:9464`, `unix:/run/forebay/{name}-{pid}.sock`. Undefined: none
 * of them.
 */
export function parseHealthPlace(text: string): HealthPlace | undefined {
  if (text.startsWith('unix:')) return socketOf(text.slice('unix:'.length));
  const [, bracketed, name, first, last] =
    /^(?:(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):)?(\d{1,5})(?:-(\d{1,5}))?$/i.exec(text) ?? [];
  if (first === undefined) return undefined;
  const from = Number(first);
  const to = Number(last ?? first);
  if (to > portMax || to < from || (from === 0 && to > 0)) return undefined;
  return { kind: 'port', host: bracketed ?? name ?? '127.0.0.1', from, to };
}

function socketOf(path: string): HealthPlace | undefined {
  return path === '' || Buffer.byteLength(path) > socketPathBytesMax ? undefined : { kind: 'socket', path };
}
