/** The least SDK that OpenTelemetry's API can have: spans are kept as they end, the active one follows the calls. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';

export interface RecordedSpan {
  readonly name: string;
  readonly attributes: Attributes;
  readonly parent: RecordedSpan | undefined;
  readonly error: string | undefined;
}

/** Registers it for this process; `stop` takes it away again. */
export function recordSpans(): { readonly ended: readonly RecordedSpan[]; stop(): void } {
  const ended: RecordedSpan[] = [];
  const tracer = createTracer((span) => ended.push(span));
  context.setGlobalContextManager(createContextManager());
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  return {
    ended,
    stop() {
      trace.disable();
      context.disable();
    },
  };
}

function createTracer(onEnd: (span: RecordedSpan) => void): Tracer {
  const spans = new WeakMap<Span, RecordedSpan>();
  const startSpan = (name: string, options: SpanOptions = {}, at: Context = context.active()): Span => {
    const parent = trace.getSpan(at);
    const recorded = {
      name,
      attributes: { ...options.attributes },
      parent: parent && spans.get(parent),
      error: undefined as string | undefined,
    };
    const span = {
      setAttributes: (more: Attributes) => void Object.assign(recorded.attributes, more),
      setStatus: ({ code, message = '' }: { code: SpanStatusCode; message?: string }) => {
        if (code === SpanStatusCode.ERROR) recorded.error = message;
      },
      end: () => onEnd(recorded),
    } as unknown as Span;
    spans.set(span, recorded);
    return span;
  };
  return {
    startSpan,
    startActiveSpan: (name: string, options: SpanOptions, work: (span: Span) => unknown) => {
      const span = startSpan(name, options);
      return context.with(trace.setSpan(context.active(), span), () => work(span));
    },
  } as Tracer;
}

function createContextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (at, work, self, ...args) => storage.run(at, () => work.apply(self as never, args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}
