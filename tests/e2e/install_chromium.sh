#!/usr/bin/env bash
# Chromium for the browser tests: taken from the system; installed by apt where we are root and it is missing.
set -eu
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
else
  echo "The browser tests need Chromium: install the package 'chromium' of your system and run this again." >&2
  exit 1
fi
