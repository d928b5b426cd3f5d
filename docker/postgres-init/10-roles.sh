#!/usr/bin/env bash
# Makes the database and its two roles, as the embedded PostgreSQL has them. The image runs it once, in an empty
# data folder. psql reads the passwords itself, so that none shows in a list of processes.
set -euo pipefail

for file in "$OWNER_PASSWORD_FILE" "$APP_PASSWORD_FILE"; do
    if [ ! -s "$file" ]; then
        echo "The secret $file is missing or empty. Make it with docker/make-secrets.sh, remove the database's" \
            "volume, which holds nothing yet, and start again." >&2
        exit 1
    fi
done

psql --no-psqlrc --no-password --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set app_password `cat "$APP_PASSWORD_FILE"`
CREATE ROLE prometheus_owner LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS CREATEDB
    PASSWORD :'owner_password';
CREATE ROLE prometheus_app LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS NOCREATEDB
    PASSWORD :'app_password';
CREATE DATABASE prometheus OWNER prometheus_owner;
REVOKE ALL ON DATABASE prometheus, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE prometheus TO prometheus_app;
GRANT CONNECT ON DATABASE postgres TO prometheus_owner; -- from where it makes a database for a restore
SQL
