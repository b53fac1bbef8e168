# Small, unprivileged, read-only: run it with `--read-only --cap-drop ALL` and a volume at /data.
#   docker build -t mintwarden .
#   docker run --read-only --cap-drop ALL -v mintwarden:/data -p 127.0.0.1:8009:8009 mintwarden
# State, secrets and bot.yaml live in /data. There: gateway.listen: 0.0.0.0:8009.

FROM node:24-slim AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/matrix/engine/package.json src/matrix/engine/package.json
COPY src/matrix/request/package.json src/matrix/request/package.json
# Nothing is fetched but from npm, and no install script runs.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=install /app/node_modules node_modules
COPY package.json LICENSE ./
COPY src src
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8009
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8009/health').then((r) => { process.exitCode = r.ok ? 0 : 1; }, () => { process.exitCode = 1; })"]
ENTRYPOINT ["node", "/app/src/mintwarden.mjs"]
CMD ["start", "--config", "/data/bot.yaml"]
