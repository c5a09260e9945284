# The image of Candor: compiled JavaScript, production packages, shipped policies and models; runs as nobody.
FROM node:24-bookworm-slim AS build
WORKDIR /candor
COPY package.json package-lock.json ./
# No install script is needed here: the only one fetches the Node that this stage already is.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /candor
COPY --from=build /candor/package.json ./
COPY --from=build /candor/node_modules ./node_modules
COPY --from=build /candor/dist ./dist
COPY policies ./policies
COPY models ./models
COPY dashboard ./dashboard
RUN mkdir /data && chown 65532:65532 /data
USER 65532:65532
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/livez').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: the process gets TERM itself and drains.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["serve", "--config", "/etc/candor/candor.yaml"]
