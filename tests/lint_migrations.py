"""Check the migrations: none is missing, and none would break a running site. Run by `make lint`."""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.core.management import call_command

    django.setup()
    from tests import servers

    with servers.running_servers(), servers.cloned_database(servers.ensure_template()):
        call_command("makemigrations", check=True, dry_run=True, verbosity=1)
        from django_migration_linter import MigrationLinter

        linter = MigrationLinter(
            include_apps=["core", "accounts", "audit", "datasets_app", "annotation"],
            no_cache=True,
            # RunSQL of a table that is created empty in the same release cannot lock anybody out; 0003 widens
            # a column and adds indexes to tables that were still small when it came.
            ignore_name=[
                "0001_initial",
                "0002_label_identity",
                "0003_labelling_loop",
                "0004_undo_identity",
            ],
        )
        linter.lint_all_migrations()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
