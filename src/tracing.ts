/**
 * `forebay/tracing`: spans for OpenTelemetry, of an app's writes and of workers' flushes down to their
 * statements. It needs `@opentelemetry/api`; what becomes of the spans is up to the user's SDK.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { messageOf } from './errors.js';
import type { Trace } from './trace.js';

export type { SpanFacts, Trace } from './trace.js';

/**
 * The tracer of the SDK that the process has registered, as forebay takes it: `connect(stores, { prisma,
 * trace: openTelemetry() })`.
 */
export function openTelemetry(): Trace {
  const tracer = trace.getTracer('forebay');
  return (name, attributes, work) =>
    tracer.startActiveSpan(name, { attributes: { ...attributes } }, async (span) => {
      try {
        return await work((facts) => void span.setAttributes({ ...facts }));
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
        throw error;
      } finally {
        span.end();
      }
    });
}
