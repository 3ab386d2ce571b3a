#!/bin/sh
# The entrypoint of the image that is Kong with diag405: it runs the plugin server,
# keeps it running, and then becomes Kong by way of Kong's own entrypoint. So signals
# reach Kong as in its own image, and the server lives as long as the container.
set -eu

home=${DIAG405_HOME:-/opt/diag405}
# A folder of its own in Kong's prefix, which Kong can write to however it is run:
# Kong's entrypoint removes sockets that lie in the prefix itself.
prefix=${KONG_PREFIX:-/usr/local/kong}
run=${DIAG405_RUN:-${prefix%/}/diag405}

export KONG_PLUGINSERVER_DIAG405_SOCKET="${KONG_PLUGINSERVER_DIAG405_SOCKET:-$run/diag405.socket}"
export KONG_PLUGINSERVER_DIAG405_LOG_SOCKET="${KONG_PLUGINSERVER_DIAG405_LOG_SOCKET:-$run/diag405-log.socket}"

# Kong's entrypoint is called otherwise in Docker's own image and in Kong's.
kong_entrypoint() {
	for file in ${KONG_ENTRYPOINT:-/docker-entrypoint.sh /entrypoint.sh}; do
		if [ -x "$file" ]; then
			exec "$file" "$@"
		fi
	done
	exec "$@"
}

# Only what serves needs the server: not kong migrations, and no shell.
case "${1:-} ${2:-}" in
"kong docker-start" | "kong start" | "kong restart") ;;
*) kong_entrypoint "$@" ;;
esac

mkdir -p "$run"
chmod 0700 "$run"
rm -f "$run/diag405.socket" "$run/diag405-log.socket"

# keep_serving starts the server again when it ends, for as long as the process lives
# that this script is, and Kong becomes.
keep_serving() {
	while kill -0 $$ 2>/dev/null; do
		"$home/diag405" serve -socket "$run" -prefix "$prefix" || true
		echo "diag405: the plugin server has ended, and is started again" >&2
		sleep 0.1
	done
}
keep_serving &

tries=100
until [ -S "$run/diag405.socket" ] && [ -S "$run/diag405-log.socket" ]; do
	tries=$((tries - 1))
	if [ "$tries" -le 0 ]; then
		echo "diag405: the plugin server does not listen in $run; Kong is not started" >&2
		exit 1
	fi
	sleep 0.1
done
kong_entrypoint "$@"
