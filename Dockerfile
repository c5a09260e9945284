# The image of Candor: Node, the libraries that it needs, compiled JavaScript, production packages, policies, models and
# the dashboard. No shell, no package manager, nobody's privileges; runs on a root file system that can't be written.
# Where no image registry is reached: deploy/image/build-offline.sh
ARG BASE=node:24-bookworm-slim
FROM ${BASE} AS build
WORKDIR /candor
COPY package.json package-lock.json ./
# No install script is needed here: the only one fetches the Node that this stage already is.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-audit --no-fund
COPY policies ./policies
COPY models ./models
COPY dashboard ./dashboard
COPY deploy/image/assemble.sh ./
RUN sh assemble.sh /image

FROM scratch
COPY --from=build /image /
ENV NODE_ENV=production PATH=/usr/local/bin
WORKDIR /candor
USER 65532:65532
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/livez').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: the process gets TERM itself and drains. A sidecar counts for memory first: docs/deploy.md has what each of
# these saves, and what it costs.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--no-maglev", "/candor/dist/cli.js"]
CMD ["serve", "--config", "/etc/candor/candor.yaml"]
