#!/usr/bin/env bash
# Makes every secret of a new installation, once: docker/make-secrets.sh [FOLDER]
set -euo pipefail

folder=${1:-$(dirname "$0")/secrets}
if [ -e "$folder" ]; then
    echo "$folder is there already, and its keys may be the only ones that open the data: nothing was changed." \
        "To start afresh, move it away first." >&2
    exit 1
fi
if ! command -v openssl >/dev/null; then
    echo "openssl is not here, and it makes the keys: install it and start again." >&2
    exit 1
fi

umask 077
partial=$(mktemp -d "$folder.XXXXXX") # a folder of all secrets or none
trap 'rm -rf "$partial"' EXIT

keep() { printf '%s' "$2" >"$partial/$1"; } # no newline: it would become part of the secret

owner_password=$(openssl rand -hex 32)
app_password=$(openssl rand -hex 32)
secret_key=$(openssl rand -hex 32)
postgres_password=$(openssl rand -hex 32)
master_key=$(openssl rand -base64 32 | tr '+/' '-_')
signing_key=$(openssl genpkey -algorithm ed25519)

keep postgres_password "$postgres_password"
keep owner_password "$owner_password"
keep app_password "$app_password"
keep database_owner_url "postgresql://prometheus_owner:$owner_password@db:5432/prometheus"
keep database_url "postgresql://prometheus_app:$app_password@db:5432/prometheus"
keep secret_key "$secret_key"
keep master_keys "$master_key"
keep signing_key "$signing_key"$'\n'

# The containers' users have other numbers than yours and must read the files; the folder lets nobody else in.
chmod 0444 "$partial"/*
mv "$partial" "$folder"
echo "The secrets are in $folder. Copy master_keys and signing_key to a safe place away from this machine:" \
    "without the first, no backup can be read."
