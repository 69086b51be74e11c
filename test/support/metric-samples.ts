/** What a registry of prom-client says at a scrape, sample by sample. */

/** By name and labels, as they are printed: `forebay_up{what="redis"}`. */
export async function samplesOf(registry: { metrics(): Promise<string> }): Promise<Map<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
