/** The real SDK, with exporters in memory. */
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memory } from "../../adapters/memory/index.ts";
import { opentelemetry } from "../../adapters/opentelemetry/index.ts";
import { defineHandler } from "../../src/handler/define.ts";

const spans = new InMemorySpanExporter();
const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).getTracer("test");

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator({
    inject() {},
    fields: () => ["traceparent"],
    extract(active, carrier, getter) {
      const [, traceId, spanId] = String(getter.get(carrier, "traceparent")).split("-");
      if (traceId === undefined || spanId === undefined) return active;
      return trace.setSpanContext(active, { traceId, spanId, traceFlags: 1, isRemote: true });
    },
  });
});
afterAll(() => {
  context.disable();
  propagation.disable();
});

test("metrics of connections and messages", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e6, exportTimeoutMillis: 1e6 });
  const meter = new MeterProvider({ readers: [reader] }).getMeter("test");
  const server = memory(
    defineHandler({
      error() {},
      message(connection, data) {
        if (data === "fail") throw new Error("no");
        connection.send(data);
      },
      observe: opentelemetry({ meter, tracer: false, attributes: { app: "echo" } }),
    }),
  );
  const [one, two] = [await server.connect(), await server.connect()];
  one.send("four");
  await one.next();
  one.send("fail");
  await one.closed;
  await server.connect("ws://localhost/", { headers: { "sec-websocket-version": "8" } }).catch(() => {});
  await reader.forceFlush();
  const found: Record<string, [object, unknown][]> = {};
  for (const { scopeMetrics } of exporter.getMetrics())
    for (const { metrics } of scopeMetrics)
      for (const { descriptor, dataPoints } of metrics)
        found[descriptor.name] = dataPoints.map((point) => [point.attributes, point.value] as [object, unknown]);
  const app = "echo";
  expect(found).toEqual({
    "edgewire.connections.open": [[{ app }, 1]],
    "edgewire.connections.closed": [[{ app, code: 1011, initiator: "server" }, 1]],
    "edgewire.handshakes.refused": [[{ app, cause: "426", "http.response.status_code": 426 }, 1]],
    "edgewire.messages": [
      [{ app, direction: "received" }, 2],
      [{ app, direction: "sent" }, 1],
    ],
    "edgewire.messages.size": [
      [{ app, direction: "received" }, 8],
      [{ app, direction: "sent" }, 4],
    ],
    "edgewire.hooks.errors": [[{ app, hook: "message" }, 1]],
  });
  await two.close();
  await reader.shutdown();
});

test("a span for each hook, in which the application's own are, and the handshake's parent", async () => {
  spans.reset();
  const server = memory(
    defineHandler({
      upgrade: () => ({ room: "traced" }),
      error() {},
      async message(connection, data) {
        await Promise.resolve();
        tracer.startSpan("a query").end();
        if (data === "fail") throw new Error("no");
        connection.send(data);
      },
      observe: opentelemetry({ meter: false, tracer }),
    }),
  );
  const client = await server.connect("ws://localhost/", { headers: { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` } });
  client.send("hello");
  await client.next();
  client.send("fail");
  await client.closed;
  const [upgrade, query, message, , failed] = spans.getFinishedSpans();
  expect(spans.getFinishedSpans().map((span) => span.name)).toEqual([
    "edgewire upgrade",
    "a query",
    "edgewire message",
    "a query",
    "edgewire message",
  ]);
  expect(upgrade?.spanContext().traceId).toBe("a".repeat(32));
  expect(upgrade?.parentSpanContext?.spanId).toBe("b".repeat(16));
  expect(query?.parentSpanContext?.spanId).toBe(message?.spanContext().spanId);
  expect(message?.attributes).toEqual({ "edgewire.connection": expect.any(String), "edgewire.room": "traced" });
  expect(message?.status.code).toBe(0);
  expect(failed?.status.code).toBe(2);
  expect(failed?.events[0]?.name).toBe("exception");
});

test("a span for each call, with its name", async () => {
  spans.reset();
  const handler = defineHandler({ calls: { vote: () => 1 }, observe: opentelemetry({ meter: false, tracer }) });
  await memory(handler).room("traced").call("vote");
  expect(spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes])).toEqual([
    ["edgewire call", { "edgewire.room": "traced", "edgewire.call": "vote" }],
  ]);
});
