/**
 * An observer for OpenTelemetry: metrics of connections and messages, and a span for each hook. @opentelemetry/api is an optional peer
 * dependency; without an OpenTelemetry SDK nothing is recorded.
 */
import { SpanKind, SpanStatusCode, context, metrics, propagation, trace } from "@opentelemetry/api";
import type { Attributes, Meter, Span, Tracer } from "@opentelemetry/api";
import { isPromise } from "../../src/values/promise.ts";
import type { HookRun, Observer } from "../../src/api/observer.ts";
import type { HookName } from "../../src/api/handler.ts";

/** What `opentelemetry` takes. */
export interface OpenTelemetryOptions {
  /** Default: the meter "edgewire" of the global provider. `false`: no metrics. */
  readonly meter?: Meter | false;
  /** Default: the tracer "edgewire" of the global provider. `false`: no spans. */
  readonly tracer?: Tracer | false;
  /** The hooks that get a span. Default: `upgrade`, `open`, `message`, `close`, `alarm` and `call`. */
  readonly spans?: readonly HookName[];
  /** Attributes added to every metric and span, for example the handler's name. Default: none. */
  readonly attributes?: Attributes;
}

/** Creates an observer: `defineHandler({ observe: opentelemetry(), … })`. */
export function opentelemetry({
  meter = metrics.getMeter("edgewire"),
  tracer = trace.getTracer("edgewire"),
  spans = ["upgrade", "open", "message", "close", "alarm", "call"],
  attributes = {},
}: OpenTelemetryOptions = {}): Observer {
  return {
    ...(meter === false ? {} : measured(meter, attributes)),
    ...(tracer === false ? {} : traced(tracer, new Set(spans), attributes)),
  };
}

function measured(meter: Meter, attributes: Attributes): Observer {
  const open = meter.createUpDownCounter("edgewire.connections.open", { unit: "{connection}", description: "Open connections." });
  const closed = meter.createCounter("edgewire.connections.closed", {
    unit: "{connection}",
    description: "Connections that ended, by code.",
  });
  const refused = meter.createCounter("edgewire.handshakes.refused", { unit: "{handshake}", description: "Handshakes refused, by cause." });
  const messages = meter.createCounter("edgewire.messages", { unit: "{message}", description: "Messages, by direction." });
  const size = meter.createCounter("edgewire.messages.size", { unit: "By", description: "Size of messages; for text, UTF-16 code units." });
  const dropped = meter.createCounter("edgewire.messages.dropped", { unit: "{message}", description: "Dropped messages." });
  const errors = meter.createCounter("edgewire.hooks.errors", { unit: "{error}", description: "Hooks that threw or rejected." });
  // Created once, not for each message.
  const received = { ...attributes, direction: "received" };
  const sent = { ...attributes, direction: "sent" };
  const count = (direction: Attributes, bytes: number): void => {
    messages.add(1, direction);
    size.add(bytes, direction);
  };
  return {
    refused: ({ cause, status }) => refused.add(1, { ...attributes, cause, "http.response.status_code": status }),
    opened: () => open.add(1, attributes),
    closed(_, { code, initiator }) {
      open.add(-1, attributes);
      closed.add(1, { ...attributes, code, initiator });
    },
    received: (_, bytes) => count(received, bytes),
    sent: (_, bytes) => count(sent, bytes),
    dropped: (_, direction) => dropped.add(1, { ...attributes, direction }),
    failed: (_, { hook }) => errors.add(1, { ...attributes, hook }),
  };
}

function traced(tracer: Tracer, hooks: ReadonlySet<HookName>, attributes: Attributes): Observer {
  return {
    hook(run, what) {
      if (!hooks.has(what.hook)) return run();
      // A handshake may carry a trace context (W3C Trace Context), which becomes the parent. Later events have none.
      const parent = what.request === undefined ? context.active() : propagation.extract(context.active(), what.request.headers, carrier);
      const span = tracer.startSpan(
        `edgewire ${what.hook}`,
        { kind: SpanKind.SERVER, attributes: { ...attributes, ...about(what) } },
        parent,
      );
      return context.with(trace.setSpan(parent, span), () => within(span, run));
    },
  };
}

/** Ends the span when the hook ends: immediately, or when its promise settles. */
function within(span: Span, run: () => unknown): unknown {
  const failed = (error: unknown): never => {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    throw error;
  };
  try {
    const result = run();
    if (!isPromise(result)) span.end();
    else return result.then(() => span.end(), failed);
    return result;
  } catch (error) {
    return failed(error);
  }
}

function about({ connection, room, call }: HookRun): Attributes {
  if (connection !== undefined) return { "edgewire.connection": connection.id, "edgewire.room": connection.room.name };
  const called = call === undefined ? {} : { "edgewire.call": call };
  return room === undefined ? {} : { "edgewire.room": room.name, ...called };
}

const carrier = {
  get: (headers: Headers, name: string): string | undefined => headers.get(name) ?? undefined,
  keys: (headers: Headers): string[] => [...headers.keys()],
};
