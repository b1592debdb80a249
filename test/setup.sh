#!/bin/sh
# Gets the redis-server, the nginx and the Chromium that the tests start for themselves. With `check` it installs nothing and fails if one is missing.
set -eu

missing=
command -v redis-server >/dev/null || command -v valkey-server >/dev/null || missing=redis
command -v nginx >/dev/null || missing="$missing nginx"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || [ -e '/Applications/Google Chrome.app' ] || missing="$missing chromium"

if [ -z "$missing" ]; then
	exit 0
fi

if [ "${1-}" = check ]; then
	echo "The tests need a redis-server, an nginx and a Chromium in PATH: npm run test:setup, apt-get install redis-server nginx chromium or brew install redis nginx google-chrome. Missing: $missing" >&2
	exit 1
fi

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# The same program has another name in each.
packages() {
	for name in $missing; do
		case "$name" in
			redis) echo "$1" ;;
			chromium) echo "${2-chromium}" ;;
			*) echo "$name" ;;
		esac
	done
}

if command -v apt-get >/dev/null; then
	as_root apt-get update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $(packages redis-server)
elif command -v apk >/dev/null; then
	as_root apk add $(packages redis)
elif command -v dnf >/dev/null; then
	as_root dnf install --assumeyes $(packages valkey)
elif command -v brew >/dev/null; then
	brew install $(packages redis google-chrome)
else
	echo 'Found none of apt-get, apk, dnf and brew: put a redis-server, an nginx and a Chromium into PATH by other means.' >&2
	exit 1
fi
