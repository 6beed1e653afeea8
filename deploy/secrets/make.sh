#!/bin/sh
# Make every secret that compose.yaml and kubernetes/ read, once, beside this script; what exists is kept.
#
# Containers read them as users of their own, so each file may be read by anybody who can enter the folder: its owner.
set -eu
cd "$(dirname "$0")"
chmod 700 .
umask 022

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
write() { # name, text
  if [ -e "$1" ]; then echo "kept  $1"; else printf '%s\n' "$2" > "$1"; echo "made  $1"; fi
}

write token "$(random)"                                   # password of the page and the API
write qdrant_api_key "$(random)"
write grafana_password "$(random)"
write postgres_password "$(random)"
write redis_password "$(random)"

# The same again, in the form that each program reads.
write redis.conf "requirepass $(cat redis_password)"
write qdrant.yaml "service: {api_key: $(cat qdrant_api_key)}"
write broker_url "redis://:$(cat redis_password)@redis:6379/0"
write database_url "postgresql+psycopg://likewise:$(cat postgres_password)@postgres:5432/likewise"
