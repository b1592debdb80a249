#!/bin/sh
# Gets the redis-server that the tests start for themselves. With `check` it installs nothing and fails if there is none.
set -eu

if command -v redis-server >/dev/null || command -v valkey-server >/dev/null; then
	exit 0
fi

if [ "${1-}" = check ]; then
	echo 'The tests need a redis-server in PATH: npm run test:setup, apt-get install redis-server or brew install redis.' >&2
	exit 1
fi

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

if command -v apt-get >/dev/null; then
	as_root apt-get update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends redis-server
elif command -v apk >/dev/null; then
	as_root apk add redis
elif command -v dnf >/dev/null; then
	as_root dnf install --assumeyes valkey
elif command -v brew >/dev/null; then
	brew install redis
else
	echo 'Found none of apt-get, apk, dnf and brew: put a redis-server into PATH by other means.' >&2
	exit 1
fi
