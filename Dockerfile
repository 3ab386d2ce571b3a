# Kong with diag405 where Kong looks for it by itself.
#
#   docker build -t kong-diag405 .

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/diag405 ./cmd/diag405

FROM kong:3.9.1
COPY --from=build --chown=root:root --chmod=0755 /out/diag405 /usr/local/bin/diag405
ENV KONG_PLUGINS=bundled,diag405 \
    KONG_PLUGINSERVER_NAMES=diag405
# Under a second name the same binary is the plugin that explains from the log phase.
USER root
RUN ln -s diag405 /usr/local/bin/diag405-log
USER kong
# A plugin server that cannot describe itself keeps Kong from starting: find out now.
RUN /usr/local/bin/diag405 -dump > /dev/null && /usr/local/bin/diag405-log -dump > /dev/null
