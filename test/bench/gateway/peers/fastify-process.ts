import replyFrom from '@fastify/reply-from';
import fastify from 'fastify';
import { announce } from '../announce.ts';

const app = fastify({ logger: false });
await app.register(replyFrom, { base: process.argv[2] ?? '', undici: { connections: 128, pipelining: 1 } });
app.all('/*', (request, reply) => reply.from(request.raw.url ?? '/'));
await app.ready();
// fastify's own listen() would do the same with a port that is free.
announce(app.server);
