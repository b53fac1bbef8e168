import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { announce } from '../announce.ts';

const proxy = createProxyServer({ target: process.argv[2] ?? '', agent: new Agent({ keepAlive: true }) });
announce(createServer((request, response) => proxy.web(request, response)));
