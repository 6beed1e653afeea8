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
write cluster_key "$(random)$(random)"                    # web and workers sign with it what goes through Redis

# The certificate of Redis, which signs itself: who connects trusts this one and no other. REDIS_NAMES are all names by
# which it is reached.
if [ -e redis.crt ]; then echo "kept  redis.crt"; else
  names="subjectAltName=DNS:localhost"
  for name in ${REDIS_NAMES:-redis}; do names="$names,DNS:$name"; done
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=redis -addext "$names" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,digitalSignature,keyCertSign \
    -keyout redis.key -out redis.crt 2>/dev/null || { echo "openssl cannot make a certificate; install it" >&2; exit 1; }
  chmod 644 redis.key
  echo "made  redis.crt"
fi

# The same again, in the form that each program reads.
write redis.conf "requirepass $(cat redis_password)"
write qdrant.yaml "service: {api_key: $(cat qdrant_api_key)}"
# A version before had no TLS between Redis and the others; an address of your own is kept.
if [ "$(cat broker_url 2>/dev/null)" = "redis://:$(cat redis_password)@redis:6379/0" ]; then rm broker_url; fi
write broker_url "rediss://:$(cat redis_password)@redis:6379/0?ssl_ca_certs=/run/secrets/likewise/redis.crt"
write database_url "postgresql+psycopg://likewise:$(cat postgres_password)@postgres:5432/likewise"
