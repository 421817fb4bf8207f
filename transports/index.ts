/**
 * Real ports: what the core needs of a machine, a network and a content store.
 *
 * @packageDocumentation
 */
export { createBufferPool } from './system/buffer-pool.ts';
export type { BufferLease, BufferPool, BufferPoolLimits } from './system/buffer-pool.ts';
export { createPeerClient } from './http/peer-client.ts';
export type { HttpPeerClient, PeerClientDeps, PeerClientOptions } from './http/peer-client.ts';
export { serveHttp } from './http/server.ts';
export type { HttpServer, HttpServerDeps, HttpServerOptions, RequestLogEntry } from './http/server.ts';
export type { Readiness } from './http/answer.ts';
export type { BodyEnd } from './http/body-writer.ts';
