# syntax=docker/dockerfile:1
# Small, unprivileged, with a read-only root. State, secrets and bot.yaml live in the volume at /data.
#   docker build -t mintwarden .
#   docker run --rm -it -v mintwarden:/data mintwarden init --dir /data …
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges \
#     -v mintwarden:/data -p 127.0.0.1:8009:8009 mintwarden
# docs/running.md explains more, config/compose.yaml is a complete example.

FROM node:24-slim AS build
WORKDIR /build
# First what npm needs, so that a change in src does not download everything again.
COPY package.json package-lock.json .npmrc ./
COPY src/matrix/engine/package.json src/matrix/engine/package.json
COPY src/matrix/request/package.json src/matrix/request/package.json
# Downloads only from npm, and runs no install scripts.
RUN npm ci --ignore-scripts
COPY rolldown.config.ts LICENSE ./
COPY src src
RUN npm run prepack && npm ci --omit=dev --ignore-scripts

FROM node:24-slim
LABEL org.opencontainers.image.title="mintwarden" org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
# A container is reached from outside. This overrides gateway.listen in bot.yaml.
ENV MINTWARDEN_GATEWAY_LISTEN=0.0.0.0:8009
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./
COPY src/mintwarden.mjs src/mintwarden.mjs
RUN ln -s /app/src/mintwarden.mjs /usr/local/bin/mintwarden && install -d -o node -g node -m 700 /data
USER node
VOLUME /data
WORKDIR /data
EXPOSE 8009
# SIGTERM stops it cleanly: Mintwarden handles signals as process 1, and waits for the processes it starts.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8009/health').then((r) => { process.exitCode = r.ok ? 0 : 1; }, () => { process.exitCode = 1; })"]
ENTRYPOINT ["mintwarden"]
CMD ["start", "--config", "/data/bot.yaml"]
