/** The seam for traces: work within a span, where the user brings a tracer (see tracing.ts). */

/** Facts of a span. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/**
 * Runs `work` within a span, which ends with it; `tell` adds facts that are known later. What `openTelemetry`
 * of `forebay/tracing` gives.
 */
export type Trace = <T>(
  name: string,
  facts: SpanFacts,
  work: (tell: (facts: SpanFacts) => void) => Promise<T>,
) => Promise<T>;
