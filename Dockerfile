# syntax=docker/dockerfile:1
#
# Two images, of the same binary:
#
#   docker build --target sidecar -t diag405 .        the server alone, beside any Kong
#   docker build --target kong -t kong-diag405 .      Kong with the server in it
#
# For both platforms, with what says which build it is:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --target sidecar \
#     --build-arg COMMIT=$(git rev-parse HEAD) -t diag405:0.1.0 .

# Any 3.x from 3.4 on: 3.4 (LTS), 3.5 to 3.9. KONG_IMAGE=kong/kong-gateway is Kong
# Enterprise.
ARG KONG_IMAGE=kong
ARG KONG_VERSION=3.9.1
# As plugin.Version has it.
ARG VERSION=0.1.0
ARG COMMIT=

FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG GOPROXY
ARG TARGETOS
ARG TARGETARCH
ARG COMMIT
# Where the folder docs is published, for links; without it they are commands.
ARG DOCS=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false -ldflags="-s -w -X diag405/cmd/diag405/version.commit=$COMMIT -X diag405/cmd/diag405/cli.docs=$DOCS" -o /out/diag405 ./cmd/diag405
# On this machine, whichever the image is for: a plugin that cannot describe itself
# keeps Kong from starting.
RUN go run ./cmd/diag405 dump -dir /out && mkdir /run/diag405

FROM scratch AS sidecar
ARG VERSION
ARG COMMIT
LABEL org.opencontainers.image.title="diag405" \
      org.opencontainers.image.description="Plugin server for Kong that explains 405 Method Not Allowed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /out/ /opt/diag405/
# Nothing is written but the sockets, in here: the root may be read-only.
COPY --from=build --chown=1000:1000 /run/diag405/ /run/diag405/
# The user of Kong in Kong's Helm chart. It has to be Kong's: the socket is for that
# one alone.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/opt/diag405/diag405", "doctor", "-socket", "/run/diag405"]
ENTRYPOINT ["/opt/diag405/diag405"]
CMD ["serve", "-socket", "/run/diag405"]

FROM ${KONG_IMAGE}:${KONG_VERSION} AS kong
ARG VERSION
ARG COMMIT
LABEL org.opencontainers.image.title="Kong with diag405" \
      org.opencontainers.image.description="Kong Gateway with a plugin that explains 405 Method Not Allowed" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
# Not in /usr/local/bin: what Kong finds there it starts by itself, and GET / of its
# Admin API answers 500 then.
COPY --from=build /out/ /opt/diag405/
COPY --chmod=0755 cmd/diag405/entrypoint.sh /opt/diag405/entrypoint.sh
ENV KONG_PLUGINS=bundled,diag405,diag405-log \
    KONG_PLUGINSERVER_NAMES=diag405,diag405-log \
    KONG_PLUGINSERVER_DIAG405_QUERY_CMD="cat /opt/diag405/diag405.json" \
    KONG_PLUGINSERVER_DIAG405_LOG_QUERY_CMD="cat /opt/diag405/diag405-log.json"
HEALTHCHECK --interval=5s --timeout=10s --start-period=30s --retries=10 CMD ["kong", "health"]
ENTRYPOINT ["/opt/diag405/entrypoint.sh"]
CMD ["kong", "docker-start"]
