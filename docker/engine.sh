#!/bin/sh
# Starts a Docker engine where none answers, and stops that one again:
#   docker/engine.sh start|stop
# An engine that somebody else runs is used as it is and never stopped.
set -eu

folder=${SWITCHBACK_DOCKER:-/var/tmp/switchback-docker}
host=${DOCKER_HOST:-unix:///var/run/docker.sock}
answers() { docker --host "$host" version >/dev/null 2>&1; }
fail() { echo "error: $*" >&2; exit 1; }

start() {
  if answers; then
    echo "a Docker engine answers at $host"
    return
  fi
  case $host in unix://*) ;; *) fail "no Docker engine answers at $host, and only a local one can be started" ;; esac
  [ "$(id -u)" = 0 ] || fail "no Docker engine answers at $host, and starting one takes root"
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    command -v apt-get >/dev/null || fail "there is no Docker engine here: install one, then try again"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io
  fi
  answers && return
  mkdir -p "$folder"
  # Ports are published by Docker's own proxy and images are local, so neither the machine's firewall
  # nor its forwarding needs to be touched.
  nohup dockerd --host "$host" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/pid" --iptables=false --ip6tables=false --ip-forward=false \
    >"$folder/log" 2>&1 </dev/null &
  engine=$!
  for _ in $(seq 120); do
    if answers; then
      echo "started a Docker engine at $host"
      return
    fi
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 20 "$folder/log" >&2
  kill "$engine" 2>/dev/null || :
  fail "the Docker engine did not start: its log is $folder/log"
}

stop() {
  [ -d "$folder" ] || return 0
  if [ -s "$folder/pid" ]; then
    engine=$(cat "$folder/pid")
    # It stops its containers first, and removes the file of its process last.
    kill "$engine"
    for _ in $(seq 120); do
      [ -e "$folder/pid" ] || break
      sleep 0.5
    done
    [ ! -e "$folder/pid" ] || fail "the Docker engine, process $engine, does not stop"
  fi
  rm -rf "$folder"
  echo "stopped the Docker engine"
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *) echo "usage: $0 start|stop" >&2; exit 2 ;;
esac
